namespace Candela.Images.Storage;

/// <summary>One lock per key, for as long as anyone wants it.</summary>
internal sealed class KeyedLocks
{
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Waits for the key's lock; disposing gives it back.</summary>
    public async Task<IDisposable> TakeAsync(string key, CancellationToken cancellationToken)
    {
        Entry? entry;
        lock (_entries)
        {
            if (!_entries.TryGetValue(key, out entry))
                _entries.Add(key, entry = new Entry(this, key));
            entry.Wanted++;
        }

        try
        {
            await entry.Semaphore.WaitAsync(cancellationToken).ConfigureAwait(false);
            return new Taken(entry);
        }
        catch
        {
            entry.Leave();
            throw;
        }
    }

    private sealed class Entry(KeyedLocks owner, string key)
    {
        public SemaphoreSlim Semaphore { get; } = new(1);

        public int Wanted { get; set; }

        public void Leave()
        {
            lock (owner._entries)
            {
                if (--Wanted == 0)
                    owner._entries.Remove(key);
            }
        }
    }

    private sealed class Taken(Entry entry) : IDisposable
    {
        private Entry? _entry = entry;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _entry, null) is not { } taken)
                return;
            taken.Semaphore.Release();
            taken.Leave();
        }
    }
}
