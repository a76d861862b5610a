using Candela.Guest.Protocol;

namespace Candela.Guest.Files;

/// <summary>
/// What the container changed in its image, made piece by piece while it is read: records of a letter (A added, C changed, D deleted),
/// the path, and a zero byte. A folder that is in both comes after what is in it, and only when something in it or of it changed.
/// </summary>
internal sealed class ChangesReader : IArchiveSource
{
    private readonly WritableLayer _layer;
    private readonly List<Level> _open = [];
    private byte[] _pending = [];
    private int _pendingAt;

    /// <exception cref="AgentFailure">The layer or the image cannot be opened.</exception>
    public ChangesReader(WritableLayer layer)
    {
        _layer = layer;
        var top = new Level(new FolderReader(Open(layer.Folder), []), OpenOrNone(FileCalls.AT_FDCWD, UnixPath.Terminated(System.Text.Encoding.UTF8.GetBytes(layer.Image))));
        _open.Add(top);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var level in _open)
            level.Dispose();
        _open.Clear();
    }

    /// <inheritdoc/>
    public int Read(Span<byte> buffer)
    {
        var length = 0;
        while (length < buffer.Length && (_pendingAt < _pending.Length || Advance()))
        {
            var count = int.Min(_pending.Length - _pendingAt, buffer.Length - length);
            _pending.AsSpan(_pendingAt, count).CopyTo(buffer[length..]);
            _pendingAt += count;
            length += count;
        }

        return length;
    }

    /// <summary>Goes on to the next name; false at the end.</summary>
    private bool Advance()
    {
        if (_open.Count == 0)
            return false;
        var level = _open[^1];
        var name = level.Upper.Next();
        if (!name.IsEmpty)
        {
            Visit(level, name);
            return true;
        }

        if (level.NextHidden() is { } hidden)
        {
            Emit(level, 'D', hidden);
            return true;
        }

        _open.RemoveAt(_open.Count - 1);
        if (_open.Count > 0 && level.IsChanged)
            Emit(_open[^1], 'C', level.Upper.ArchivePath);
        level.Dispose();
        return true;
    }

    private void Visit(Level level, ReadOnlySpan<byte> name)
    {
        var path = UnixPath.Join(level.Upper.ArchivePath, name[..^1]);
        var error = FileCalls.Status(level.Upper.Number, name, out var status);
        if (error == -FileCalls.ENOENT)
            return; // deleted meanwhile
        if (error < 0)
            throw FileFailure.Of("lstat", path, error);
        if (_layer.IsAgents(level.Upper.Number, name, path, status))
        {
            level.HasAgents = true;
            return;
        }

        if (WritableLayer.IsWhiteout(status))
        {
            Emit(level, 'D', path);
            return;
        }

        FileStatus below = default;
        var isBelow = level.Lower is { } lower && FileCalls.Status(lower.Number, name, out below) == 0;
        if (status.Type != FileStatus.S_IFDIR)
        {
            Emit(level, isBelow ? 'C' : 'A', path);
            return;
        }

        var isFolderBelow = isBelow && below.Type == FileStatus.S_IFDIR;
        if (!isFolderBelow)
            Emit(level, isBelow ? 'C' : 'A', path);
        Enter(level, name, path, status, isFolderBelow ? below : null);
    }

    private void Enter(Level level, ReadOnlySpan<byte> name, byte[] path, in FileStatus status, FileStatus? below)
    {
        if (_open.Count == ArchiveReader.MaximumDepth)
            throw new AgentFailure(AgentError.LimitExceeded, $"{FileFailure.Text(path)}: folders are nested deeper than {ArchiveReader.MaximumDepth}");
        if (OpenOrNone(level.Upper.Number, name) is not { } upper)
            return; // replaced meanwhile
        var lower = below is null ? null : OpenOrNone(level.Lower!.Number, name);
        var next = new Level(new FolderReader(upper, path), lower);
        if (below is { } former)
        {
            next.IsChanged = (former.Mode, former.UserId, former.GroupId) != (status.Mode, status.UserId, status.GroupId);
            next.IsTouched = former.ModifiedSeconds != status.ModifiedSeconds;
            if (lower is not null && WritableLayer.IsOpaque(upper.Number))
                next.Hide();
        }
        else
        {
            next.IsNew = true;
        }

        _open.Add(next);
    }

    private void Emit(Level level, char kind, ReadOnlySpan<byte> path)
    {
        if (!level.IsNew)
            level.HasChanges = true;
        _pending = [(byte)kind, (byte)'/', .. path, 0];
        _pendingAt = 0;
    }

    private static Descriptor Open(string path) =>
        OpenOrNone(FileCalls.AT_FDCWD, UnixPath.Terminated(System.Text.Encoding.UTF8.GetBytes(path))) ?? throw new AgentFailure(AgentError.Failed, $"{path} cannot be opened");

    private static Descriptor? OpenOrNone(int folder, ReadOnlySpan<byte> name)
    {
        var number = FileCalls.OpenAt(folder, name, FileCalls.O_RDONLY | FileCalls.O_DIRECTORY | FileCalls.O_NOFOLLOW);
        return number >= 0 ? new Descriptor(number) : null;
    }

    /// <summary>A folder of the layer that is being read, and the image's of the same path.</summary>
    private sealed class Level(FolderReader upper, Descriptor? lower) : IDisposable
    {
        private FolderReader? _hidden;

        public FolderReader Upper => upper;

        public Descriptor? Lower => lower;

        /// <summary>The image has none of this path: it was told already.</summary>
        public bool IsNew { get; set; }

        /// <summary>Something in it was told.</summary>
        public bool HasChanges { get; set; }

        /// <summary>The agent made something in it.</summary>
        public bool HasAgents { get; set; }

        /// <summary>Its time of modification is another than the image's.</summary>
        public bool IsTouched { get; set; }

        /// <summary>It is to be told once all in it is.</summary>
        public bool IsChanged
        {
            get => field || HasChanges || (IsTouched && !HasAgents && !IsNew);
            set;
        }

        /// <summary>All of the image's that is not here again is deleted.</summary>
        public void Hide()
        {
            var number = FileCalls.OpenAt(lower!.Number, ".\0"u8, FileCalls.O_RDONLY | FileCalls.O_DIRECTORY);
            if (number >= 0)
                _hidden = new FolderReader(new Descriptor(number), upper.ArchivePath);
        }

        /// <summary>Path of the next that is deleted so.</summary>
        public byte[]? NextHidden()
        {
            while (_hidden is not null)
            {
                var name = _hidden.Next();
                if (name.IsEmpty)
                    return null;
                if (FileCalls.Status(upper.Number, name, out _) < 0)
                    return UnixPath.Join(upper.ArchivePath, name[..^1]);
            }

            return null;
        }

        public void Dispose()
        {
            upper.Dispose();
            lower?.Dispose();
            _hidden?.Dispose();
        }
    }
}
