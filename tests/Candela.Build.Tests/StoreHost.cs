using System.Formats.Tar;
using Candela.Images;
using Candela.Images.Files;
using Candela.Model;
using Candela.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Build.Tests;

/// <summary>A real image store, and containers whose commands are <c>write PATH</c> and <c>fail CODE</c>.</summary>
internal sealed class StoreHost : IBuildHost, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public StoreHost() => Store = new ImageStore(new ImageStoreOptions { Folder = _folder.File("store") }, NullLogger.Instance);

    public ImageStore Store { get; }

    /// <summary>What ran.</summary>
    public List<ContainerSpec> Runs { get; } = [];

    /// <summary>Containers that are there.</summary>
    public int ContainerCount { get; private set; }

    public bool IsTidy => !Directory.EnumerateFileSystemEntries(_folder.File("store/tmp")).Any();

    public Task<Image> GetImageAsync(string reference, bool pullsAlways, CancellationToken cancellationToken) => Store.GetAsync(reference, cancellationToken);

    public Task<FileTree> OpenFilesAsync(string? imageId, CancellationToken cancellationToken) => Store.OpenFilesAsync(imageId, cancellationToken);

    public Task<Image?> FindBuiltAsync(string buildKey, CancellationToken cancellationToken) => Store.FindBuiltAsync(buildKey, cancellationToken);

    public Task<Image> CommitAsync(string? baseId, Stream? layerTar, ImageCommit commit, CancellationToken cancellationToken) => Store.CommitAsync(baseId, layerTar, commit, cancellationToken);

    public Task KeepBuiltAsync(string imageId, IReadOnlyList<string> references, CancellationToken cancellationToken) => Store.KeepBuiltAsync(imageId, references, cancellationToken);

    public string NewTemporaryPath() => Store.NewTemporaryPath();

    public Task<IBuildContainer> CreateContainerAsync(ContainerSpec spec, CancellationToken cancellationToken)
    {
        Runs.Add(spec);
        ContainerCount++;
        return Task.FromResult<IBuildContainer>(new Container(this, spec));
    }

    public Task<FetchedFile> FetchAsync(Uri address, CancellationToken cancellationToken) =>
        Task.FromResult(new FetchedFile("fetched"u8.ToArray(), DateTimeOffset.UnixEpoch));

    /// <summary>A tar of files: content by name; a name that ends with a slash is a folder.</summary>
    public static byte[] Tar(params (string Name, string Content)[] files)
    {
        using MemoryStream output = new();
        using (TarWriter writer = new(output, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach ((string name, string content) in files)
            {
                PaxTarEntry entry = new(name.EndsWith('/') ? TarEntryType.Directory : TarEntryType.RegularFile, name) { Mode = name.EndsWith('/') ? (UnixFileMode)0b111_000_000 : (UnixFileMode)0b110_100_000, Uid = 7, Gid = 8 };
                if (!name.EndsWith('/'))
                    entry.DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(content));
                writer.WriteEntry(entry);
            }
        }

        return output.ToArray();
    }

    public string Spool(byte[] context)
    {
        string path = _folder.File(Guid.NewGuid().ToString("N"));
        File.WriteAllBytes(path, context);
        return path;
    }

    public void Dispose()
    {
        Store.Dispose();
        _folder.Dispose();
    }

    private sealed class Container(StoreHost host, ContainerSpec spec) : IBuildContainer
    {
        public string Id { get; } = new('c', 64);

        public async Task<int> RunAsync(Func<OutputChunk, ValueTask> write, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await write(new OutputChunk(false, "said\n"u8.ToArray()));
            string[] words = spec.Command![^1].Split(' ');
            return words[0] == "fail" ? int.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture) : 0;
        }

        public async Task ReadLayerAsync(Stream destination, CancellationToken cancellationToken) =>
            await destination.WriteAsync(Tar((spec.Command![^1].Split(' ')[^1].TrimStart('/'), "made")), cancellationToken);

        public ValueTask DisposeAsync()
        {
            host.ContainerCount--;
            return ValueTask.CompletedTask;
        }
    }
}
