using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Candela.Identity.Authentication;

/// <summary>
/// Remembers for a short while which passwords were just found right, so that clients that bind for every request (LDAP) do not pay for the
/// slow hash each time. Keeps a digest under a key that only this process has; a changed credential document ends it. It can only say yes to
/// the right password, so it helps nobody to guess.
/// </summary>
internal sealed class VerifiedPasswords(TimeProvider time)
{
    /// <summary>How long a password counts as verified, from the slow check on.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(2);

    /// <summary>Most accounts remembered.</summary>
    private const int AccountCount = 20_000;

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly ConcurrentDictionary<Guid, (long Revision, byte[] Digest, DateTimeOffset Until)> _known = new();

    public bool Contains(Guid accountId, long revision, string password)
    {
        if (!_known.TryGetValue(accountId, out var known))
            return false;
        if (known.Revision == revision && known.Until > time.GetUtcNow())
            return CryptographicOperations.FixedTimeEquals(known.Digest, Digest(accountId, password));
        _known.TryRemove(accountId, out _);
        return false;
    }

    public void Add(Guid accountId, long revision, string password)
    {
        // Simple and rare: all start anew with the slow check.
        if (_known.Count >= AccountCount)
            _known.Clear();
        _known[accountId] = (revision, Digest(accountId, password), time.GetUtcNow() + Lifetime);
    }

    private byte[] Digest(Guid accountId, string password)
    {
        var text = Encoding.UTF8.GetBytes($"{accountId}/{password}");
        try
        {
            return HMACSHA256.HashData(_key, text);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }
}
