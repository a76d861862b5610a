using System.Text.Json;
using Candela.State;

namespace Candela.Identity.Certificates.Revocation;

/// <summary>The revoked certificates of all authorities, held in memory for making lists and for quick answers; follows the state store.</summary>
internal sealed class RevokedSet(IStateStore store)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, OfAuthority> _authorities = new(StringComparer.Ordinal);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _revision;

    /// <summary>Ends when something has been revoked since this was read.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    /// <summary>Reads all, then follows in <see cref="FollowAsync"/>.</summary>
    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        string? after = null;
        long revision = 0;
        lock (_gate)
            _authorities.Clear();
        do
        {
            var page = await store.RangeAsync(CertificateKeys.Revocations, after, StateLimits.PageCount, cancellationToken);
            // What changes between pages comes again by the watch, which begins after the first page.
            revision = revision == 0 ? page.Revision : revision;
            foreach (var entry in page.Entries)
                Apply(entry.Key, entry.Value, entry.Revision);
            after = page.Next;
        }
        while (after is not null);

        _revision = revision;
    }

    /// <summary>Follows the store; until cancelled.</summary>
    public async Task FollowAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await foreach (var change in store.WatchAsync(CertificateKeys.Revocations, _revision + 1, cancellationToken))
                    Apply(change.Key, change.Value, change.Revision);
            }
            catch (StateCompactedException)
            {
                await ReadAsync(cancellationToken);
            }
        }
    }

    /// <summary>Takes a change in that this process has just committed, before the watch brings it.</summary>
    public void Apply(string key, ReadOnlyMemory<byte>? value, long revision)
    {
        var path = key.AsSpan(CertificateKeys.Revocations.Length);
        var slash = path.IndexOf('/');
        var (authority, serial) = (path[..slash].ToString(), path[(slash + 1)..].ToString());
        lock (_gate)
        {
            if (!_authorities.TryGetValue(authority, out var of))
                _authorities[authority] = of = new OfAuthority();
            if (value is null)
            {
                of.Revoked.Remove(serial);
                return;
            }

            of.Revoked[serial] = JsonSerializer.Deserialize(value.Value.Span, CertificateJson.Default.RevocationDocument)!;
            of.Revision = Math.Max(of.Revision, revision);
        }

        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }

    public bool Contains(string authority, string serial)
    {
        lock (_gate)
            return _authorities.TryGetValue(authority, out var of) && of.Revoked.ContainsKey(serial);
    }

    /// <summary>Revision of an authority's last revocation; 0: none.</summary>
    public long RevisionOf(string authority)
    {
        lock (_gate)
            return _authorities.TryGetValue(authority, out var of) ? of.Revision : 0;
    }

    /// <summary>An authority's revocations at one moment, and the revision of the last one.</summary>
    public (KeyValuePair<string, RevocationDocument>[] Revoked, long Revision) Of(string authority)
    {
        lock (_gate)
            return _authorities.TryGetValue(authority, out var of) ? ([.. of.Revoked], of.Revision) : ([], 0);
    }

    private sealed class OfAuthority
    {
        public SortedDictionary<string, RevocationDocument> Revoked { get; } = new(StringComparer.Ordinal);

        public long Revision { get; set; }
    }
}
