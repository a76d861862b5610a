using System.Buffers.Binary;
using System.Security.Cryptography;
using Candela.Identity.Jose;
using Candela.Identity.Secrets;
using Candela.State;

namespace Candela.Identity.Acme;

/// <summary>
/// Nonces against replay (RFC 8555, section 6.5). A nonce is a time, random bytes and a MAC under a key that all controllers share: giving one
/// out costs nothing. Each is used once: the first use is written down, and forgotten when no such nonce can be used any more.
/// </summary>
internal sealed class AcmeNonces(IStateStore store, ISecretBox secrets, AcmeOptions options, TimeProvider time) : IDisposable
{
    private const int TimeBytes = sizeof(long);
    private const int RandomBytes = 12;
    private const int MacBytes = 16;
    private const int KeyBytes = 32;
    private const int NonceBytes = TimeBytes + RandomBytes + MacBytes;

    private readonly SemaphoreSlim _granting = new(1);
    private byte[] _key = [];
    private StateLease? _lease;
    private DateTimeOffset _leaseUntil;

    /// <summary>Reads the key, makes it at the first start; to be called once, before anything else.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var fresh = RandomNumberGenerator.GetBytes(KeyBytes);
        await store.CommitAsync(new StateTransaction().Expect(AcmeKeys.NonceKey, 0).Put(AcmeKeys.NonceKey, secrets.Seal(fresh, AcmeKeys.NonceKey)), cancellationToken);
        var entry = await store.GetAsync(AcmeKeys.NonceKey, cancellationToken) ?? throw new InvalidOperationException("The key of the nonces has vanished from the state store.");
        _key = secrets.Open(entry.Value.Span, AcmeKeys.NonceKey);
    }

    public string New()
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        BinaryPrimitives.WriteInt64BigEndian(nonce, time.GetUtcNow().ToUnixTimeMilliseconds());
        RandomNumberGenerator.Fill(nonce.Slice(TimeBytes, RandomBytes));
        Mac(nonce[..^MacBytes], nonce[^MacBytes..]);
        return Base64UrlText.Encode(nonce);
    }

    /// <summary>The nonce was given out by this installation and is not too old: says nothing about its use.</summary>
    public bool IsOurs(string? nonce)
    {
        if (nonce is null || Base64UrlText.TryDecode(nonce) is not { Length: NonceBytes } bytes)
            return false;
        Span<byte> mac = stackalloc byte[MacBytes];
        Mac(bytes.AsSpan(..^MacBytes), mac);
        if (!CryptographicOperations.FixedTimeEquals(mac, bytes.AsSpan(^MacBytes..)))
            return false;
        var age = time.GetUtcNow().ToUnixTimeMilliseconds() - BinaryPrimitives.ReadInt64BigEndian(bytes);
        return age <= options.NonceLifetime.TotalMilliseconds;
    }

    /// <summary>Uses a nonce; false when it was used before, at whatever controller. To be called when the signature has been verified.</summary>
    public async Task<bool> UseAsync(string nonce, CancellationToken cancellationToken)
    {
        var key = AcmeKeys.Nonce(nonce);
        var lease = await LeaseAsync(cancellationToken);
        return (await store.CommitAsync(new StateTransaction().Expect(key, 0).Put(key, ReadOnlyMemory<byte>.Empty, lease), cancellationToken)).Succeeded;
    }

    public void Dispose()
    {
        _granting.Dispose();
        CryptographicOperations.ZeroMemory(_key);
    }

    /// <summary>A lease that lives longer than any nonce that is used under it.</summary>
    private async Task<long> LeaseAsync(CancellationToken cancellationToken)
    {
        await _granting.WaitAsync(cancellationToken);
        try
        {
            if (_lease is null || time.GetUtcNow() >= _leaseUntil)
            {
                _lease = await store.GrantLeaseAsync(2 * options.NonceLifetime, cancellationToken);
                // Shared for a while, so that there are few; what is written last under it must outlive its nonce.
                _leaseUntil = time.GetUtcNow() + options.NonceLifetime / 2;
            }

            return _lease.Id;
        }
        finally
        {
            _granting.Release();
        }
    }

    private void Mac(ReadOnlySpan<byte> nonce, Span<byte> mac)
    {
        Span<byte> full = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, nonce, full);
        full[..MacBytes].CopyTo(mac);
    }
}
