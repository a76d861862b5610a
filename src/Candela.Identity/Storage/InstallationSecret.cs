using System.Security.Cryptography;
using Candela.Identity.Secrets;
using Candela.State;

namespace Candela.Identity.Storage;

/// <summary>A random key that all controllers of the installation share, sealed in the state store, made by who needs it first.</summary>
internal sealed class InstallationSecret(IStateStore store, ISecretBox secrets, string place)
{
    private const int KeyBytes = 32;

    private byte[]? _key;

    /// <exception cref="CryptographicException">The key file does not fit the store.</exception>
    public async ValueTask<byte[]> GetAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _key) is { } known)
            return known;
        var fresh = RandomNumberGenerator.GetBytes(KeyBytes);
        // When another was first, its key counts.
        await store.CommitAsync(new StateTransaction().Expect(place, 0).Put(place, secrets.Seal(fresh, place)), cancellationToken);
        CryptographicOperations.ZeroMemory(fresh);
        var entry = await store.GetAsync(place, cancellationToken) ?? throw new InvalidOperationException($"The key {place} has vanished from the state store.");
        var key = secrets.Open(entry.Value.Span, place);
        return Interlocked.CompareExchange(ref _key, key, null) ?? key;
    }
}
