using System.Buffers.Binary;
using System.Security.Cryptography;
using Candela.Identity.Jose;
using Candela.Identity.Secrets;
using Candela.Identity.Storage;
using Candela.State;

namespace Candela.Identity.OpenIdConnect.Grants;

/// <summary>
/// Refresh tokens: grant, number and a MAC under a key of the installation. Nothing of them has to be kept but the number that counts, and a
/// former one is known for certain to have been given out once.
/// </summary>
internal sealed class RefreshTokens(IStateStore store, ISecretBox secrets)
{
    private const int GrantBytes = 16;
    private const int BodyBytes = GrantBytes + sizeof(int);

    private readonly InstallationSecret _key = new(store, secrets, OpenIdKeys.RefreshKey);

    /// <summary>A new grant's id.</summary>
    public static string NewGrantId() => Base64UrlText.Encode(RandomNumberGenerator.GetBytes(GrantBytes));

    public async ValueTask<string> MakeAsync(string grantId, int sequence, CancellationToken cancellationToken)
    {
        var key = await _key.GetAsync(cancellationToken);
        var token = new byte[BodyBytes + HMACSHA256.HashSizeInBytes];
        Base64UrlText.TryDecode(grantId)!.CopyTo(token, 0);
        BinaryPrimitives.WriteInt32BigEndian(token.AsSpan(GrantBytes), sequence);
        HMACSHA256.HashData(key, token.AsSpan(0, BodyBytes), token.AsSpan(BodyBytes));
        return Base64UrlText.Encode(token);
    }

    /// <summary>Null: it was never given out here.</summary>
    public async ValueTask<(string GrantId, int Sequence)?> ReadAsync(string token, CancellationToken cancellationToken)
    {
        var key = await _key.GetAsync(cancellationToken);
        if (token.Length > 128 || Base64UrlText.TryDecode(token) is not { Length: BodyBytes + HMACSHA256.HashSizeInBytes } bytes)
            return null;
        var mac = HMACSHA256.HashData(key, bytes.AsSpan(0, BodyBytes));
        return CryptographicOperations.FixedTimeEquals(mac, bytes.AsSpan(BodyBytes))
            ? (Base64UrlText.Encode(bytes.AsSpan(0, GrantBytes)), BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(GrantBytes)))
            : null;
    }
}
