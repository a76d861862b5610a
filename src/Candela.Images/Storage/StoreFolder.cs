using System.Security.Cryptography;
using Candela.Model;
using Microsoft.Win32.SafeHandles;

namespace Candela.Images.Storage;

/// <summary>The store's folder: where things are, and the lock that keeps a second process out.</summary>
internal sealed class StoreFolder : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly SafeFileHandle _lock;

    /// <summary>Opens the folder, making what is absent and deleting the temporary files of earlier runs.</summary>
    /// <exception cref="CandelaException">Conflict when another process uses it.</exception>
    public StoreFolder(string path)
    {
        Root = Path.GetFullPath(path);
        foreach (string folder in (string[])[Root, Blobs, Blocks, Partial])
            Directory.CreateDirectory(folder, Private);
        _lock = LinuxFile.TryLock(Path.Combine(Root, "lock"))
            ?? throw new CandelaException(ErrorCode.Conflict, $"another process uses the image store {Root}: stop it first, or choose another folder");
        if (Directory.Exists(Temporary))
            Directory.Delete(Temporary, recursive: true);
        Directory.CreateDirectory(Temporary, Private);
    }

    /// <summary>The folder.</summary>
    public string Root { get; }

    /// <summary>Complete, verified blobs by the hex of their sha256.</summary>
    public string Blobs => Path.Combine(Root, "blobs", "sha256");

    /// <summary>Block images by the hex of their chain id.</summary>
    public string Blocks => Path.Combine(Root, "block");

    /// <summary>Downloads to be continued.</summary>
    public string Partial => Path.Combine(Root, "partial");

    /// <summary>Files in the making; emptied at start.</summary>
    public string Temporary => Path.Combine(Root, "tmp");

    /// <summary>The index file.</summary>
    public string Index => Path.Combine(Root, "index.json");

    /// <summary>File of a blob.</summary>
    public string BlobPath(string digest) => Path.Combine(Blobs, Digests.Hex(digest));

    /// <summary>File of a download to be continued.</summary>
    public string PartialPath(string digest) => Path.Combine(Partial, Digests.Hex(digest));

    /// <summary>File of a block image.</summary>
    public string BlockPath(string chainId) => Path.Combine(Blocks, Digests.Hex(chainId) + ".squashfs");

    /// <summary>A new name for a temporary file.</summary>
    public string NewTemporaryPath() => Path.Combine(Temporary, RandomNumberGenerator.GetHexString(16, lowercase: true));

    /// <summary>Gives an unfinished file its final name, durably. The file's content must be complete.</summary>
    public static void Publish(string temporary, string final)
    {
        LinuxFile.SyncFile(temporary);
        File.Move(temporary, final, overwrite: true);
        LinuxFile.SyncFolder(Path.GetDirectoryName(final)!);
    }

    public void Dispose() => LinuxFile.Unlock(_lock);
}
