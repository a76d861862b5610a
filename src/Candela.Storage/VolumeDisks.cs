using System.Runtime.InteropServices;
using Candela.Model;

namespace Candela.Storage;

/// <summary>Disks of volumes, each a file of a folder.</summary>
/// <param name="folder">For example <c>/var/lib/candela/volumes</c>; made when absent.</param>
public sealed partial class VolumeDisks(string folder) : IVolumeDisks
{
    /// <summary>Name of the folder within the disk's file system that is the volume: so it has no <c>lost+found</c>.</summary>
    public const string DataFolder = "data";

    private const string Extension = ".ext4", Temporary = ".new";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Attachment> _attached = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public async Task CreateAsync(string id, long sizeBytes, CancellationToken cancellationToken)
    {
        if (sizeBytes == 0)
            sizeBytes = StorageLimits.VolumeBytesDefault;
        if (sizeBytes is < StorageLimits.VolumeBytesLeast or > StorageLimits.VolumeBytesMost)
            throw new CandelaException(ErrorCode.InvalidArgument, $"a volume has {StorageLimits.VolumeBytesLeast >> 20} MiB to {StorageLimits.VolumeBytesMost >> 30} GiB");
        string path = PathOf(id), temporary = path + Temporary, content = path + ".content";
        if (File.Exists(path))
            throw new CandelaException(ErrorCode.AlreadyExists, $"volume {id} has a disk already");
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        try
        {
            Directory.CreateDirectory(Path.Combine(content, DataFolder));
            await using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write))
                file.SetLength(sizeBytes);
            await Ext4.FormatAsync(temporary, content, cancellationToken);
            File.Move(temporary, path);
        }
        catch (IOException e) when (e.HResult == 28)
        {
            throw new CandelaException(ErrorCode.ResourceExhausted, $"there is no room for a volume in {folder}: free some space", e);
        }
        finally
        {
            File.Delete(temporary);
            if (Directory.Exists(content))
                Directory.Delete(content, recursive: true);
        }
    }

    /// <inheritdoc/>
    public void Delete(string id)
    {
        lock (_gate)
        {
            if (_attached.TryGetValue(id, out Attachment? attachment))
                throw new CandelaException(ErrorCode.Conflict, $"the volume is attached to {attachment.Holder.Name}");
            if (Directory.Exists(folder))
                File.Delete(PathOf(id));
        }
    }

    /// <inheritdoc/>
    public long UsedBytes(string id)
    {
        Span<byte> status = stackalloc byte[256];
        const int currentFolder = -100, blocks = 0x400, blocksOffset = 48, blockBytes = 512;
        return statx(currentFolder, PathOf(id), 0, blocks, status) == 0 ? MemoryMarshal.Read<long>(status[blocksOffset..]) * blockBytes : 0;
    }

    /// <inheritdoc/>
    public void Sweep(IReadOnlySet<string> known)
    {
        if (!Directory.Exists(folder))
            return;
        foreach (string path in Directory.EnumerateDirectories(folder))
            Directory.Delete(path, recursive: true);
        foreach (string path in Directory.EnumerateFiles(folder))
        {
            if (!path.EndsWith(Extension, StringComparison.Ordinal) || !known.Contains(Path.GetFileNameWithoutExtension(path)))
                File.Delete(path);
        }
    }

    /// <inheritdoc/>
    public async Task<VolumeLease> AttachAsync(IReadOnlyList<string> ids, VolumeHolder holder, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task released;
            lock (_gate)
            {
                Attachment? other = ids.Select(id => _attached.GetValueOrDefault(id)).FirstOrDefault(a => a is not null);
                if (other is null)
                    return Attach(ids, holder);
                if (!other.Holder.IsEnding())
                {
                    throw new CandelaException(
                        ErrorCode.Conflict,
                        $"volume is in use by {other.Holder.Name}: a volume is attached to one running micro-VM at a time; stop that container, or use a volume of its own");
                }

                released = other.Released.Task;
            }

            await released.WaitAsync(cancellationToken);
        }
    }

    private VolumeLease Attach(IReadOnlyList<string> ids, VolumeHolder holder)
    {
        string[] paths = [.. ids.Select(PathOf)];
        if (paths.FirstOrDefault(path => !File.Exists(path)) is { } lost)
            throw new CandelaException(ErrorCode.NotFound, $"the volume's disk {lost} is gone: restore it, or remove the volume");
        var attachment = new Attachment(holder);
        foreach (string id in ids)
            _attached[id] = attachment;
        return new VolumeLease(paths, () =>
        {
            lock (_gate)
            {
                foreach (string id in ids)
                    _attached.Remove(id);
            }

            attachment.Released.SetResult();
        });
    }

    private string PathOf(string id) => id.Length == 32 && id.All(char.IsAsciiHexDigitLower)
        ? Path.Combine(folder, id + Extension)
        : throw new ArgumentException($"{id} is no volume's id", nameof(id));

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int folder, string path, int flags, uint mask, Span<byte> status);

    private sealed class Attachment(VolumeHolder holder)
    {
        public VolumeHolder Holder => holder;

        public TaskCompletionSource Released { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
