using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Jose;
using Candela.Identity.Secrets;
using Candela.Model;
using Candela.State;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.Acme;

/// <summary>Accounts, their keys and whom they act for (RFC 8555, section 7.3).</summary>
internal sealed class AcmeAccounts(AcmeStore documents, ISecretBox secrets, AcmeOptions options, TimeProvider time)
{
    private const int ContactCount = 10;
    private const int ContactLength = 320;
    private const int DomainCount = 100;
    private const int HmacKeyBytes = 32;

    /// <summary>Makes an account, or finds the one that has this key.</summary>
    /// <param name="key">Key that signed the request.</param>
    /// <param name="payload">Request.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The account, and whether it is new.</returns>
    public async Task<(AcmeAccount Account, bool IsNew)> CreateAsync(JsonWebKey key, JsonElement payload, CancellationToken cancellationToken)
    {
        if (await documents.AccountOfKeyAsync(key.Thumbprint, cancellationToken) is { } known)
            return known.Value.Status == AcmeStatus.Valid ? (known.Value, false) : throw AcmeException.Unauthorized("the account of this key is deactivated");
        if (payload.TryGetProperty("onlyReturnExisting", out var only) && only.ValueKind == JsonValueKind.True)
            throw new AcmeException("accountDoesNotExist", StatusCodes.Status400BadRequest, "no account has this key");
        var account = new AcmeAccount { Id = AcmeStore.NewId(), Key = key.ThumbprintInput, Thumbprint = key.Thumbprint, Contacts = Contacts(payload) ?? [], CreatedAt = time.GetUtcNow() };
        var transaction = new StateTransaction();
        if (payload.TryGetProperty("externalAccountBinding", out var binding))
        {
            var external = await BindAsync(key, binding, cancellationToken);
            account = account with { External = external.Value.Id };
            AcmeStore.Put(transaction, external.Value with { Account = account.Id }, external.Revision);
        }
        else if (options.OpenDomains.Count == 0)
        {
            throw new AcmeException("externalAccountRequired", StatusCodes.Status403Forbidden, "the account must be bound to one that Candela knows: get a key for external account binding first");
        }

        AcmeStore.Put(transaction, account, 0).Expect(AcmeKeys.AccountKey(key.Thumbprint), 0).Put(AcmeKeys.AccountKey(key.Thumbprint), Encoding.ASCII.GetBytes(account.Id));
        return await documents.CommitAsync(transaction, cancellationToken)
            ? (account, true)
            : throw new AcmeException("malformed", StatusCodes.Status409Conflict, "the key or the external account was used for another account at the same moment");
    }

    /// <summary>Changes contacts, or deactivates the account for good.</summary>
    public async Task<AcmeAccount> UpdateAsync(Stored<AcmeAccount> account, JsonElement payload, CancellationToken cancellationToken)
    {
        var changed = account.Value with { Contacts = Contacts(payload) ?? account.Value.Contacts };
        switch (payload.Text("status"))
        {
            case null or "valid":
                break;
            case "deactivated":
                changed = changed with { Status = AcmeStatus.Deactivated };
                break;
            default:
                throw AcmeException.Malformed("an account's status can be changed to deactivated only");
        }

        if (changed != account.Value && !await documents.CommitAsync(AcmeStore.Put(new StateTransaction(), changed, account.Revision), cancellationToken))
            throw Changed();
        return changed;
    }

    /// <summary>Gives an account another key (RFC 8555, section 7.3.5). Both keys have signed.</summary>
    public async Task<AcmeAccount> ChangeKeyAsync(Stored<AcmeAccount> account, JsonElement payload, string url, CancellationToken cancellationToken)
    {
        var inner = FlattenedJws.Read(payload);
        if (inner.Header.TryGetProperty("kid", out _) || inner.Header.TryGetProperty("nonce", out _) || inner.Header.Text("url") != url)
            throw AcmeException.Malformed("the inner message has the new key (jwk) and the same url, but neither kid nor nonce");
        var key = JsonWebKey.Read(inner.Header.TryGetProperty("jwk", out var jwk) ? jwk : throw AcmeException.Malformed("the inner message has no jwk"));
        if (AcmeRequest.Algorithm(inner.Header).Verify(key, inner.Input, inner.Signature) is false)
            throw AcmeException.Malformed("the inner message is not signed by its key");
        var request = StrictJson.ReadObject(inner.Payload, "the inner payload");
        if (request.Text("account") != options.Url($"account/{account.Value.Id}"))
            throw AcmeException.Malformed("the inner message names another account");
        if (!request.TryGetProperty("oldKey", out var old) || JsonWebKey.Read(old).Thumbprint != account.Value.Thumbprint)
            throw AcmeException.Malformed("oldKey is not the account's key");
        if (await documents.AccountOfKeyAsync(key.Thumbprint, cancellationToken) is { } other)
            throw new AcmeException("malformed", StatusCodes.Status409Conflict, "another account has the new key") { Location = options.Url($"account/{other.Value.Id}") };
        var changed = account.Value with { Key = key.ThumbprintInput, Thumbprint = key.Thumbprint };
        var transaction = AcmeStore.Put(new StateTransaction(), changed, account.Revision)
            .Delete(AcmeKeys.AccountKey(account.Value.Thumbprint))
            .Expect(AcmeKeys.AccountKey(key.Thumbprint), 0)
            .Put(AcmeKeys.AccountKey(key.Thumbprint), Encoding.ASCII.GetBytes(changed.Id));
        return await documents.CommitAsync(transaction, cancellationToken) ? changed : throw Changed();
    }

    /// <summary>Domains whose names an account may ask for.</summary>
    public async Task<IReadOnlyList<string>> DomainsOfAsync(AcmeAccount account, CancellationToken cancellationToken)
    {
        if (account.External is null)
            return options.OpenDomains;
        var external = await documents.ExternalAsync(account.External, cancellationToken);
        return external is { Value.Withdrawn: false } ? external.Value.Domains : throw AcmeException.Unauthorized("the external account that this one is bound to was withdrawn");
    }

    /// <summary>Makes a key by which one ACME account can be bound to somebody.</summary>
    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public async Task<(string Id, string Key)> CreateExternalAsync(string owner, IReadOnlyList<string> domains, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        if (owner.Length is 0 or > 200 || domains.Count is 0 or > DomainCount || lifetime <= TimeSpan.Zero)
            throw new CandelaException(ErrorCode.InvalidArgument, $"an external account has an owner, 1 to {DomainCount} domains, and some time to be used");
        var (id, key) = (AcmeStore.NewId(), RandomNumberGenerator.GetBytes(HmacKeyBytes));
        var external = new AcmeExternal
        {
            Id = id,
            Key = secrets.Seal(key, AcmeKeys.External(id)),
            Owner = owner,
            Domains = [.. domains.Select(d => DnsNames.Check(d, allowWildcard: false))],
            ExpiresAt = time.GetUtcNow() + lifetime,
        };
        await documents.CommitAsync(AcmeStore.Put(new StateTransaction(), external, 0), cancellationToken);
        return (id, Base64UrlText.Encode(key));
    }

    /// <summary>Ends an external account, and with it the right of the account that is bound to it.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    public async Task WithdrawExternalAsync(string id, CancellationToken cancellationToken)
    {
        do
        {
            if (await documents.ExternalAsync(id, cancellationToken) is not { } external)
                throw new CandelaException(ErrorCode.NotFound, $"there is no external account {Printable.Of(id)}");
            if (await documents.CommitAsync(AcmeStore.Put(new StateTransaction(), external.Value with { Withdrawn = true }, external.Revision), cancellationToken))
                return;
        }
        while (true);
    }

    /// <summary>Checks that the holder of an external account's key has signed this account's key (RFC 8555, section 7.3.4).</summary>
    private async Task<Stored<AcmeExternal>> BindAsync(JsonWebKey key, JsonElement binding, CancellationToken cancellationToken)
    {
        var jws = FlattenedJws.Read(binding);
        if (jws.Header.Text("alg") != "HS256" || jws.Header.TryGetProperty("nonce", out _) || jws.Header.TryGetProperty("jwk", out _) || jws.Header.Text("url") != options.Url("new-account"))
            throw AcmeException.Malformed("the external account binding has alg HS256, kid, and the url of the request; no nonce and no jwk");
        // One answer for all that could be guessed at.
        var refused = AcmeException.Unauthorized("the external account binding is not valid: unknown or used key id, expired, or wrong key");
        if (jws.Header.Text("kid") is not { } id || await documents.ExternalAsync(id, cancellationToken) is not { } external)
            throw refused;
        var secret = secrets.Open(external.Value.Key, AcmeKeys.External(id));
        var isSigned = CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(secret, jws.Input), jws.Signature);
        CryptographicOperations.ZeroMemory(secret);
        if (!isSigned || external.Value.Account is not null || external.Value.Withdrawn || external.Value.ExpiresAt < time.GetUtcNow())
            throw refused;
        if (JsonWebKey.Read(StrictJson.ReadObject(jws.Payload, "the binding's payload")).Thumbprint != key.Thumbprint)
            throw AcmeException.Malformed("the external account binding is for another key");
        return external;
    }

    private static IReadOnlyList<string>? Contacts(JsonElement payload)
    {
        if (!payload.TryGetProperty("contact", out var contacts))
            return null;
        if (contacts.ValueKind != JsonValueKind.Array || contacts.GetArrayLength() > ContactCount)
            throw AcmeException.Malformed($"contact is an array of at most {ContactCount} addresses");
        return [.. contacts.EnumerateArray().Select(Contact)];
    }

    private static string Contact(JsonElement value)
    {
        const string Mail = "mailto:";
        var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : throw AcmeException.Malformed("a contact is a string");
        if (!text.StartsWith(Mail, StringComparison.Ordinal))
            throw new AcmeException("unsupportedContact", StatusCodes.Status400BadRequest, "a contact begins with mailto:");
        if (text.Length > ContactLength || text.AsSpan(Mail.Length).IndexOfAny("?,\r\n ") >= 0 || !text.Contains('@', StringComparison.Ordinal) || text.Any(char.IsControl))
            throw new AcmeException("invalidContact", StatusCodes.Status400BadRequest, "a contact is one mail address without header fields");
        return text;
    }

    private static AcmeException Changed() => new("malformed", StatusCodes.Status409Conflict, "the account was changed meanwhile: try again");
}
