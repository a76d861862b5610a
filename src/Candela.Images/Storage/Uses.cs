namespace Candela.Images.Storage;

/// <summary>
/// Counts what must not be deleted although no image refers to it: content of operations under way, and leased block images.
/// Deleting goes through here too, so that nothing vanishes between being found and being held.
/// </summary>
internal sealed class Uses
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);

    /// <summary>Holds nothing yet; see <see cref="Hold.Add"/>.</summary>
    public Hold Open() => new(this);

    /// <summary>Whether it is held.</summary>
    public bool IsHeld(string key)
    {
        lock (_lock)
            return _counts.ContainsKey(key);
    }

    /// <summary>Deletes a file unless its key is held.</summary>
    /// <returns>Bytes freed.</returns>
    public long Delete(string key, string path)
    {
        lock (_lock)
        {
            if (_counts.ContainsKey(key) || !File.Exists(path))
                return 0;
            long length = new FileInfo(path).Length;
            File.Delete(path);
            return length;
        }
    }

    /// <summary>Some keys held together.</summary>
    public sealed class Hold(Uses uses) : IDisposable
    {
        private readonly List<string> _keys = [];
        private bool _isReleased;

        /// <summary>Holds one more.</summary>
        public void Add(string key)
        {
            lock (uses._lock)
            {
                ObjectDisposedException.ThrowIf(_isReleased, this);
                uses._counts[key] = uses._counts.GetValueOrDefault(key) + 1;
                _keys.Add(key);
            }
        }

        /// <summary>Lets all go.</summary>
        public void Dispose()
        {
            lock (uses._lock)
            {
                if (_isReleased)
                    return;
                _isReleased = true;
                foreach (string key in _keys)
                {
                    if (--uses._counts[key] == 0)
                        uses._counts.Remove(key);
                }
            }
        }
    }
}
