using System.Text.Json;
using Candela.Identity.Jose;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.Acme;

/// <summary>By which key a request is signed.</summary>
internal enum AcmeSigner
{
    /// <summary>By an account's: the message names the account (<c>kid</c>).</summary>
    Account,

    /// <summary>By one that the message brings along (<c>jwk</c>): for new accounts.</summary>
    Key,

    /// <summary>By either.</summary>
    Either,
}

/// <summary>A request whose signature, address and nonce have been checked (RFC 8555, section 6.2 to 6.5).</summary>
/// <param name="Key">Key that signed it.</param>
/// <param name="Account">Account that signed it; null: the message brought its key along.</param>
/// <param name="Payload">Payload as it came; empty: POST-as-GET.</param>
internal sealed record AcmeRequest(JsonWebKey Key, Stored<AcmeAccount>? Account, byte[] Payload)
{
    private const string ContentType = "application/jose+json";
    public static readonly string[] Algorithms = ["ES256", "ES384", "RS256"];

    /// <summary>The payload as an object.</summary>
    public JsonElement Object => Payload.Length == 0 ? throw AcmeException.Malformed("this request has a payload") : StrictJson.ReadObject(Payload, "the payload");

    /// <summary>The account that signed it.</summary>
    public Stored<AcmeAccount> Caller => Account ?? throw new InvalidOperationException("The endpoint takes requests without account.");

    /// <summary>Reads and checks a request.</summary>
    /// <param name="context">The HTTP request.</param>
    /// <param name="path">Its endpoint below the server's address.</param>
    /// <param name="signer">Who may have signed it.</param>
    /// <param name="server">Nonces and accounts.</param>
    /// <exception cref="AcmeException">It must not be answered.</exception>
    /// <exception cref="JoseException">It is malformed.</exception>
    public static async Task<AcmeRequest> ReadAsync(HttpContext context, string path, AcmeSigner signer, AcmeServer server)
    {
        var cancellationToken = context.RequestAborted;
        if (context.Request.ContentType is not { } type || !string.Equals(type.Split(';')[0].Trim(), ContentType, StringComparison.OrdinalIgnoreCase))
            throw new AcmeException("malformed", StatusCodes.Status415UnsupportedMediaType, $"the content type must be {ContentType}");
        var jws = FlattenedJws.Read(await ReadBodyAsync(context, cancellationToken));
        var algorithm = Algorithm(jws.Header);
        if (jws.Header.Text("url") != server.Options.Url(path))
            throw AcmeException.Unauthorized($"the message is signed for another address than {server.Options.Url(path)}");
        var nonce = jws.Header.Text("nonce");
        if (!server.Nonces.IsOurs(nonce))
            throw AcmeException.BadNonce();
        var (key, account) = await KeyAsync(jws.Header, signer, server, cancellationToken);
        if (!algorithm.Verify(key, jws.Input, jws.Signature))
            throw AcmeException.Malformed("the message is not signed by the key that it names");
        // Last, so that only who can sign makes anything be written.
        if (!await server.Nonces.UseAsync(nonce!, cancellationToken))
            throw AcmeException.BadNonce();
        return new AcmeRequest(key, account, jws.Payload);
    }

    /// <summary>The algorithm that a header names, if it is one for public keys.</summary>
    public static JwsAlgorithm Algorithm(JsonElement header) => Algorithms.Contains(header.Text("alg")) && JwsAlgorithm.Find(header.Text("alg")) is { } algorithm
        ? algorithm
        : throw new AcmeException("badSignatureAlgorithm", StatusCodes.Status400BadRequest, $"the algorithm is one of {string.Join(", ", Algorithms)}");

    private static async Task<(JsonWebKey Key, Stored<AcmeAccount>? Account)> KeyAsync(JsonElement header, AcmeSigner signer, AcmeServer server, CancellationToken cancellationToken)
    {
        var hasKey = header.TryGetProperty("jwk", out var jwk);
        var accountUrl = header.Text("kid");
        if (hasKey == accountUrl is not null)
            throw AcmeException.Malformed("the message has either jwk or kid");
        if (hasKey)
            return signer == AcmeSigner.Account ? throw AcmeException.Malformed("this request is signed by an account (kid)") : (JsonWebKey.Read(jwk), null);
        if (signer == AcmeSigner.Key)
            throw AcmeException.Malformed("this request brings its key along (jwk)");
        var prefix = server.Options.Url("account/");
        if (!accountUrl!.StartsWith(prefix, StringComparison.Ordinal) || await server.Documents.AccountAsync(accountUrl[prefix.Length..], cancellationToken) is not { } account)
            throw new AcmeException("accountDoesNotExist", StatusCodes.Status400BadRequest, "there is no such account");
        if (account.Value.Status != AcmeStatus.Valid)
            throw AcmeException.Unauthorized("the account is deactivated");
        using var key = JsonDocument.Parse(account.Value.Key);
        return (JsonWebKey.Read(key.RootElement), account);
    }

    private static async Task<byte[]> ReadBodyAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (context.Request.ContentLength > FlattenedJws.Bytes)
            throw TooLarge();
        var body = new byte[FlattenedJws.Bytes + 1];
        var length = await context.Request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken);
        return length <= FlattenedJws.Bytes ? body[..length] : throw TooLarge();
    }

    private static AcmeException TooLarge() => new("malformed", StatusCodes.Status413PayloadTooLarge, $"a request has at most {FlattenedJws.Bytes} bytes");
}
