using System.Security.Cryptography;
using System.Text.Json;
using Candela.Microvisor.Native;
using Candela.Model;
using Microsoft.Win32.SafeHandles;

namespace Candela.Microvisor.Qemu;

/// <summary>What is written beside a parent's snapshot.</summary>
/// <param name="Status">As listed.</param>
/// <param name="Host">What a snapshot is bound to: the VMM's version, the accelerator, the CPU's model where the guest sees it.</param>
/// <param name="MemorySha256">Digest of the memory, holes as zeros.</param>
/// <param name="DevicesSha256">Digest of the device state.</param>
internal sealed record ParentManifest(ParentStatus Status, string Host, string MemorySha256, string DevicesSha256);

/// <summary>Snapshots on disk: one folder a parent, complete or not there.</summary>
internal sealed class ParentStore
{
    private const string MemoryFileName = "memory", DevicesFileName = "devices", ManifestFileName = "parent.json", UnfinishedPrefix = ".new-";

    private readonly string _folder;
    private readonly string _guestVersion;
    private readonly string _host;

    /// <summary>Opens it; what is half-written, or bound to another guest or host, is deleted.</summary>
    public ParentStore(string folder, string guestVersion, string host)
    {
        _folder = folder;
        _guestVersion = guestVersion;
        _host = host;
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (string path in Directory.EnumerateDirectories(folder))
        {
            if (Read(path) is null)
                Directory.Delete(path, recursive: true);
        }
    }

    /// <summary>All that can be used.</summary>
    public IEnumerable<ParentStatus> List() => Directory.EnumerateDirectories(_folder).Select(Read).OfType<ParentManifest>().Select(m => m.Status);

    /// <summary>Reads a snapshot into memory; null when there is none or it is damaged (it is deleted then).</summary>
    public Snapshot? Load(string key, CancellationToken cancellationToken)
    {
        string folder = Path.Combine(_folder, key);
        if (!Directory.Exists(folder) || Read(folder) is not { } manifest)
            return null;
        var snapshot = new Snapshot(
            MemoryFile.Create("candela-parent", manifest.Status.Size.MemoryBytes),
            MemoryFile.Create("candela-state", manifest.Status.DeviceStateBytes),
            manifest.Status.MemoryBytes,
            manifest.Status.Stages);
        try
        {
            CopyIn(Path.Combine(folder, MemoryFileName), snapshot.Memory, cancellationToken);
            CopyIn(Path.Combine(folder, DevicesFileName), snapshot.Devices, cancellationToken);
            if (Digest(snapshot.Memory) == manifest.MemorySha256 && Digest(snapshot.Devices) == manifest.DevicesSha256)
                return snapshot;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Treated like any other damage.
        }

        snapshot.Dispose();
        Delete(key);
        return null;
    }

    /// <summary>Writes a snapshot so that it is there completely or not at all.</summary>
    /// <exception cref="CandelaException">ResourceExhausted: the disk is full; nothing is left behind.</exception>
    public void Save(ParentStatus status, Snapshot snapshot)
    {
        string unfinished = Path.Combine(_folder, UnfinishedPrefix + status.Key);
        try
        {
            Directory.CreateDirectory(unfinished);
            CopyOut(snapshot.Memory, Path.Combine(unfinished, MemoryFileName));
            CopyOut(snapshot.Devices, Path.Combine(unfinished, DevicesFileName));
            var manifest = new ParentManifest(status, _host, Digest(snapshot.Memory), Digest(snapshot.Devices));
            using (FileStream file = File.Create(Path.Combine(unfinished, ManifestFileName)))
            {
                JsonSerializer.Serialize(file, manifest);
                file.Flush(flushToDisk: true);
            }

            Directory.Move(unfinished, Path.Combine(_folder, status.Key));
        }
        catch (IOException e)
        {
            Directory.Delete(unfinished, recursive: true);
            throw new CandelaException(ErrorCode.ResourceExhausted, $"the parent {status.Key} cannot be kept in {_folder}: {e.Message}", e);
        }
    }

    /// <summary>Deletes a snapshot; clones that map it go on.</summary>
    public void Delete(string key)
    {
        string folder = Path.Combine(_folder, key);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private static void CopyIn(string path, SafeFileHandle target, CancellationToken cancellationToken)
    {
        using SafeFileHandle source = File.OpenHandle(path);
        if (RandomAccess.GetLength(source) != RandomAccess.GetLength(target))
            throw new IOException($"{path} has another size than its manifest says");
        MemoryFile.CopyPages(source, target, cancellationToken);
    }

    private static void CopyOut(SafeFileHandle source, string path)
    {
        using SafeFileHandle target = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite);
        RandomAccess.SetLength(target, RandomAccess.GetLength(source));
        MemoryFile.CopyPages(source, target, CancellationToken.None);
        RandomAccess.FlushToDisk(target);
    }

    private static string Digest(SafeFileHandle file)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[1 << 20];
        MemoryFile.ForEachData(file, buffer, (offset, data) =>
        {
            // Zero pages may or may not be holes: only the others count, each with its place.
            for (int start = 0; start < data.Length; start += MemoryFile.PageBytes)
            {
                ReadOnlySpan<byte> page = data.Slice(start, Math.Min(MemoryFile.PageBytes, data.Length - start));
                if (!page.ContainsAnyExcept((byte)0))
                    continue;
                hash.AppendData(BitConverter.GetBytes(offset + start));
                hash.AppendData(page);
            }
        });
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private ParentManifest? Read(string folder)
    {
        try
        {
            if (Path.GetFileName(folder).StartsWith(UnfinishedPrefix, StringComparison.Ordinal))
                return null;
            using FileStream file = File.OpenRead(Path.Combine(folder, ManifestFileName));
            ParentManifest? manifest = JsonSerializer.Deserialize<ParentManifest>(file);
            return manifest is not null && manifest.Host == _host && manifest.Status.GuestVersion == _guestVersion ? manifest : null;
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null;
        }
    }
}
