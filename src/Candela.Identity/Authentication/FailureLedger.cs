using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Storage;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Authentication;

/// <summary>
/// Counts failures of names, in the state store so that all controllers count together. Known and unknown names are counted alike, or a lock
/// (or the time that writing takes) would tell which exist. Names share a bounded number of slots, by a digest that only the platform can
/// compute: guessing names fills no disk, and nobody can push out a certain name's count.
/// </summary>
internal sealed class FailureLedger(IStateStore store, TimeProvider time)
{
    /// <summary>Slots of a domain.</summary>
    public const int SlotCount = 4096;

    /// <summary>Most names of one slot.</summary>
    private const int NameCount = 64;

    private const int AttemptCount = 32;
    private const int KeyBytes = 32;

    private byte[]? _key;

    /// <summary>Where a name's failures are.</summary>
    public async Task<FailurePlace> FindAsync(Guid domainId, string name, CancellationToken cancellationToken)
    {
        var key = _key ??= await KeyAsync(cancellationToken);
        var digest = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{domainId}/{EntryName.Fold(name)}"));
        int slot = BitConverter.ToUInt16(digest) % SlotCount;
        return new FailurePlace(IdentityKeys.Failures(domainId, slot), slot, Convert.ToHexStringLower(digest.AsSpan(2, 12)));
    }

    /// <summary>End of the present lock; null: not locked.</summary>
    public async Task<(DateTimeOffset? LockedUntil, int Count)> ReadAsync(FailurePlace place, PasswordPolicy policy, CancellationToken cancellationToken)
    {
        var (slot, _) = await SlotAsync(place.Key, cancellationToken);
        var now = time.GetUtcNow();
        var found = slot.Names.FirstOrDefault(n => n.NameDigest == place.NameDigest && !IsForgotten(n, policy, now));
        return (found?.LockedUntil > now ? found.LockedUntil : null, found?.Count ?? 0);
    }

    /// <summary>Counts a failure, and locks the name when there are too many.</summary>
    public Task AddAsync(FailurePlace place, PasswordPolicy policy, CancellationToken cancellationToken)
    {
        return ChangeAsync(place, policy, Count, cancellationToken);

        FailureDocument Count(FailureDocument? former, DateTimeOffset now)
        {
            int count = (former?.Count ?? 0) + 1;
            DateTimeOffset? lockedUntil = null;
            if (policy.LockoutThreshold > 0 && count >= policy.LockoutThreshold)
            {
                double seconds = policy.LockoutSeconds * Math.Pow(2, Math.Min(count - policy.LockoutThreshold, 20));
                lockedUntil = now + TimeSpan.FromSeconds(Math.Min(seconds, policy.LockoutMaximumSeconds));
            }

            return new FailureDocument(place.NameDigest, count, now, lockedUntil);
        }
    }

    /// <summary>Forgets a name's failures.</summary>
    public Task ClearAsync(FailurePlace place, PasswordPolicy policy, CancellationToken cancellationToken) =>
        ChangeAsync(place, policy, (_, _) => null, cancellationToken);

    private static bool IsForgotten(FailureDocument failures, PasswordPolicy policy, DateTimeOffset now) =>
        now - (failures.LockedUntil ?? failures.LastAt) > TimeSpan.FromSeconds(policy.FailureWindowSeconds);

    private async Task ChangeAsync(
        FailurePlace place, PasswordPolicy policy, Func<FailureDocument?, DateTimeOffset, FailureDocument?> change, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < AttemptCount; attempt++)
        {
            var (slot, revision) = await SlotAsync(place.Key, cancellationToken);
            var now = time.GetUtcNow();
            var former = slot.Names.FirstOrDefault(n => n.NameDigest == place.NameDigest && !IsForgotten(n, policy, now));
            var names = slot.Names.Where(n => n.NameDigest != place.NameDigest && !IsForgotten(n, policy, now)).ToList();
            if (change(former, now) is { } changed)
                names.Add(changed);
            while (names.Count > NameCount)
                names.Remove(names.MinBy(n => n.LockedUntil ?? n.LastAt)!);
            var transaction = new StateTransaction().Expect(place.Key, revision);
            _ = names.Count > 0
                ? transaction.Put(place.Key, JsonSerializer.SerializeToUtf8Bytes(new FailureSlot([.. names]), IdentityJson.Default.FailureSlot))
                : transaction.Delete(place.Key);
            if ((await store.CommitAsync(transaction, cancellationToken)).Succeeded)
                return;
        }

        throw new CandelaException(ErrorCode.Unavailable, "Too many sign-ins at once: try again in a moment.");
    }

    private async Task<(FailureSlot Slot, long Revision)> SlotAsync(string key, CancellationToken cancellationToken) =>
        await store.GetAsync(key, cancellationToken) is { } entry
            ? (JsonSerializer.Deserialize(entry.Value.Span, IdentityJson.Default.FailureSlot)!, entry.Revision)
            : (new FailureSlot([]), 0);

    private async Task<byte[]> KeyAsync(CancellationToken cancellationToken)
    {
        await store.CommitAsync(
            new StateTransaction().Expect(IdentityKeys.FailureKey, 0).Put(IdentityKeys.FailureKey, RandomNumberGenerator.GetBytes(KeyBytes)), cancellationToken);
        return (await store.GetAsync(IdentityKeys.FailureKey, cancellationToken))!.Value.ToArray();
    }
}

/// <summary>Where a name's failures are.</summary>
/// <param name="Key">Key of the slot.</param>
/// <param name="Slot">Number of the slot in the domain.</param>
/// <param name="NameDigest">The name in the slot.</param>
internal readonly record struct FailurePlace(string Key, int Slot, string NameDigest);
