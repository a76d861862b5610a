using System.Text.Json;
using Candela.Identity.Following;
using Candela.State;
using Microsoft.Extensions.Logging;

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

    /// <summary>Reads all, beside what is known: what was revoked once stays so here until the process ends.</summary>
    /// <returns>Revision of the store from which on to follow.</returns>
    public async Task<long> ReadAsync(CancellationToken cancellationToken)
    {
        string? after = null;
        long revision = 0;
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

        return _revision = revision;
    }

    /// <summary>Follows the store; until cancelled.</summary>
    public Task FollowAsync(TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        var follower = new StateFollower(store, CertificateKeys.Revocations, ReadAsync, Apply, time, logger);
        return follower.RunAsync(_revision, cancellationToken);

        ValueTask Apply(StateChange change, CancellationToken ending)
        {
            this.Apply(change.Key, change.Value, change.Revision);
            return ValueTask.CompletedTask;
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
                // Only those are deleted that have long expired.
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
