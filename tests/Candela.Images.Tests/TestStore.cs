using Candela.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Images.Tests;

/// <summary>A store in a folder of its own, whose registry is a dictionary.</summary>
internal sealed class TestStore : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public TestStore(ImageLimits? limits = null)
    {
        Limits = limits ?? new ImageLimits();
        Store = Open();
    }

    public ImageLimits Limits { get; }

    public ImageStore Store { get; private set; }

    public FakeSource Source { get; } = new();

    public string Folder => _folder.Path;

    public IEnumerable<string> Files(string folder) => Directory.EnumerateFiles(Path.Combine(Folder, folder)).Select(path => Path.GetFileName(path));

    /// <summary>Whether nothing half-made is left.</summary>
    public bool IsTidy => Directory.GetFileSystemEntries(Path.Combine(Folder, "tmp")).Length == 0 && !Files("partial").Any();

    public void Reopen(Action? between = null)
    {
        Store.Dispose();
        between?.Invoke();
        Store = Open();
    }

    public void Dispose()
    {
        Store.Dispose();
        _folder.Dispose();
    }

    private ImageStore Open() => new(new ImageStoreOptions { Folder = Folder, Limits = Limits }, Source, NullLogger.Instance);
}
