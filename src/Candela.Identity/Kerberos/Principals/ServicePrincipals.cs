using System.Text.Json;
using Candela.Identity.Kerberos.Keys;
using Candela.Identity.Secrets;
using Candela.Identity.Storage;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Kerberos.Principals;

/// <summary>The realm's and the services' principals in the state store.</summary>
internal sealed class ServicePrincipals(IStateStore store, ISecretBox secrets, KerberosOptions options, TimeProvider time)
{
    private const int AttemptCount = 8;

    /// <summary>The realm, made if there is none.</summary>
    /// <exception cref="CandelaException">Conflict: the installation has another realm.</exception>
    public async Task<RealmDocument> EnsureRealmAsync(CancellationToken cancellationToken)
    {
        var made = new RealmDocument(options.Realm, KeySet.Next(null, null, KeyMaker.MakeRandom(), IdentityKeys.KerberosRealm, secrets));
        await store.CommitAsync(
            new StateTransaction().Expect(IdentityKeys.KerberosRealm, 0).Put(IdentityKeys.KerberosRealm, JsonSerializer.SerializeToUtf8Bytes(made, IdentityJson.Default.RealmDocument)),
            cancellationToken);
        var entry = await store.GetAsync(IdentityKeys.KerberosRealm, cancellationToken);
        var realm = JsonSerializer.Deserialize(entry!.Value.Span, IdentityJson.Default.RealmDocument)!;
        return realm.Realm == options.Realm ? realm
            : throw new CandelaException(ErrorCode.Conflict, $"this installation's Kerberos realm is {realm.Realm}, not {options.Realm}: start with --kerberos {realm.Realm}");
    }

    /// <summary>A service's principal; null: there is none.</summary>
    public async Task<ServicePrincipal?> FindAsync(string name, CancellationToken cancellationToken) =>
        await store.GetAsync(IdentityKeys.KerberosService(name), cancellationToken) is { } entry ? Decode(entry.Value) : null;

    /// <summary>All, in the order of names.</summary>
    public async Task<IReadOnlyList<ServicePrincipal>> ListAsync(CancellationToken cancellationToken)
    {
        var all = new List<ServicePrincipal>();
        string? after = null;
        do
        {
            var page = await store.RangeAsync(IdentityKeys.KerberosServices, after, StateLimits.PageCount, cancellationToken);
            all.AddRange(page.Entries.Select(entry => Decode(entry.Value)));
            after = page.Next;
        }
        while (after is not null);
        return all;
    }

    /// <summary>A service's principal, with new keys or the present ones; made if there is none.</summary>
    /// <param name="name">Name.</param>
    /// <param name="accountId">Whose it is to be; null: the platform's own.</param>
    /// <param name="withNewKeys">The former keys end.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">AlreadyExists: it is somebody else's; Conflict: others change it all the time.</exception>
    public async Task<ServicePrincipal> EnsureAsync(string name, Guid? accountId, bool withNewKeys, CancellationToken cancellationToken)
    {
        var key = IdentityKeys.KerberosService(name);
        for (int attempt = 0; attempt < AttemptCount; attempt++)
        {
            var entry = await store.GetAsync(key, cancellationToken);
            var former = entry is null ? null : Decode(entry.Value);
            if (former is not null && former.AccountId != accountId)
                throw new CandelaException(ErrorCode.AlreadyExists, $"The principal {name} is {(former.AccountId is null ? "the platform's own" : "another account's")}: delete it first.");
            if (former is not null && !withNewKeys)
                return former;
            var keys = KeySet.Next(former?.Keys, null, KeyMaker.MakeRandom(), key, secrets);
            var made = former is null ? new ServicePrincipal(name, accountId, time.GetUtcNow(), keys) : former with { Keys = keys };
            var transaction = new StateTransaction().Expect(key, entry?.Revision ?? 0).Put(key, JsonSerializer.SerializeToUtf8Bytes(made, IdentityJson.Default.ServicePrincipal));
            if ((await store.CommitAsync(transaction, cancellationToken)).Succeeded)
                return made;
        }

        throw new CandelaException(ErrorCode.Conflict, "Others change this principal all the time: try again.");
    }

    /// <summary>Removes a service's principal.</summary>
    public Task DeleteAsync(string name, CancellationToken cancellationToken) =>
        store.CommitAsync(new StateTransaction().Delete(IdentityKeys.KerberosService(name)), cancellationToken);

    /// <summary>Entries of a keytab.</summary>
    public IEnumerable<KeytabEntry> KeytabOf(ServicePrincipal principal) =>
        principal.Keys.Open(IdentityKeys.KerberosService(principal.Name), secrets).Select(key => new KeytabEntry(options.Realm, principal.Name.Split('/'), principal.Keys.Version, key));

    internal static ServicePrincipal Decode(ReadOnlyMemory<byte> value) => JsonSerializer.Deserialize(value.Span, IdentityJson.Default.ServicePrincipal)!;
}
