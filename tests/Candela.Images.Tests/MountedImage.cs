using System.Runtime.InteropServices;

namespace Candela.Images.Tests;

/// <summary>A block image mounted on the host, to see what a kernel makes of it.</summary>
internal sealed partial class MountedImage : IDisposable
{
    public MountedImage(string image)
    {
        Path = Directory.CreateTempSubdirectory("candela-mount-").FullName;
        try
        {
            SquashfsListing.Run("mount", "-t", "squashfs", "-o", "ro,loop", image, Path);
        }
        catch (InvalidOperationException e)
        {
            Directory.Delete(Path);
            Assert.Skip($"squashfs cannot be mounted here: {e.Message}");
        }
    }

    public string Path { get; }

    /// <summary>stat(1) with a format.</summary>
    public string Stat(string file, string format) => SquashfsListing.Run("stat", "-c", format, System.IO.Path.Combine(Path, file)).Trim();

    /// <summary>Value of an extended attribute, or null.</summary>
    public byte[]? Attribute(string file, string name)
    {
        byte[] value = new byte[65536];
        nint length = lgetxattr(System.IO.Path.Combine(Path, file), name, value, value.Length);
        return length < 0 ? null : value[..(int)length];
    }

    public void Dispose()
    {
        SquashfsListing.Run("umount", Path);
        Directory.Delete(Path);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint lgetxattr(string path, string name, [Out] byte[] value, nint size);
}
