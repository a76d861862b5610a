namespace Candela.Images.Tests;

/// <summary>A file system of 5 MiB.</summary>
internal sealed class TinyDisk : IDisposable
{
    public TinyDisk()
    {
        Path = Directory.CreateTempSubdirectory("candela-disk-").FullName;
        try
        {
            SquashfsListing.Run("mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", Path);
        }
        catch (InvalidOperationException e)
        {
            Directory.Delete(Path);
            Assert.Skip($"tmpfs cannot be mounted here: {e.Message}");
        }
    }

    public string Path { get; }

    public void Dispose()
    {
        SquashfsListing.Run("umount", Path);
        Directory.Delete(Path);
    }
}
