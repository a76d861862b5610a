using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Identity.Authorization;
using Candela.Identity.Kerberos.Keys;
using Candela.Identity.Kerberos.Principals;
using Candela.Identity.Secrets;
using Candela.Identity.Storage;
using Candela.Model;

namespace Candela.Identity.Kerberos;

/// <summary>
/// Principals of services, and keytabs. Whoever has a keytab is the account, or the service: it takes the right to reset the account's secrets,
/// and for services, whose names are not a tenant's, that right in all of the system. Every call is kept in the audit log.
/// </summary>
public sealed class KerberosAdministration
{
    private const int ServiceCount = 64;

    private readonly IDirectory _directory;
    private readonly CredentialStore _credentials;
    private readonly ISecretBox _secrets;
    private readonly AccessGuard _guard;
    private readonly ServicePrincipals? _services;
    private readonly KerberosOptions? _options;

    internal KerberosAdministration(IDirectory directory, CredentialStore credentials, ISecretBox secrets, AccessGuard guard, ServicePrincipals? services, KerberosOptions? options)
    {
        _directory = directory;
        _credentials = credentials;
        _secrets = secrets;
        _guard = guard;
        _services = services;
        _options = options;
    }

    /// <summary>Gives new keys to an account, or to services of its, and the keytab with them. Former keys and keytabs end; of an account, its password no longer signs in by Kerberos.</summary>
    /// <param name="actor">Who asks.</param>
    /// <param name="account">A service account or machine.</param>
    /// <param name="services">Services, such as <c>HTTP/www.example.org</c>; none: the account itself.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Names of the principals, and the keytab.</returns>
    /// <exception cref="CandelaException">NotFound; PermissionDenied; InvalidArgument; AlreadyExists: a service is another account's; NotSupported: there is no Kerberos.</exception>
    public Task<(IReadOnlyList<string> Principals, byte[] Keytab)> MakeKeytabAsync(
        Actor actor, EntryReference account, IReadOnlyList<string> services, CancellationToken cancellationToken) =>
        _guard.RunAsync<(IReadOnlyList<string>, byte[])>(actor, "kerberos.keytab", $"{account.Name}@{account.Domain} {string.Join(' ', services)}".TrimEnd(), async () =>
        {
            var domain = EntryReference.FindDomain(_directory.Current, account.Domain);
            await _guard.RequireAsync(actor, AccessGuard.KindOf(account.Kind), Verb.Reset, services.Count == 0 ? AccessGuard.ScopeOf(domain) : ResourceScope.System, cancellationToken);
            var principals = Require();
            var entry = account.Find(_directory.Current, domain) is { Kind: EntryKind.ServiceAccount or EntryKind.Machine } found ? found
                : throw new CandelaException(ErrorCode.NotFound, $"No such service account or machine: {account.Name}@{account.Domain}");
            await _guard.RequireCoverAsync(actor, entry, cancellationToken);
            if (services.Count > ServiceCount)
                throw new CandelaException(ErrorCode.InvalidArgument, $"A keytab is made for {ServiceCount} services at most.");
            if (services.FirstOrDefault(service => !PrincipalName.IsService(service)) is { } wrong)
                throw new CandelaException(ErrorCode.InvalidArgument, $"'{wrong}' is no service: give SERVICE/HOST, such as HTTP/www.example.org, the host in lower case");

            var entries = new List<KeytabEntry>();
            foreach (var service in services)
                entries.AddRange(principals.KeytabOf(await principals.EnsureAsync(service, entry.Id, withNewKeys: true, cancellationToken)));
            if (services.Count == 0)
                entries.AddRange(await RenewAsync(entry, domain, cancellationToken));
            return (services.Count > 0 ? [.. services.Select(Whole)] : [Whole(PrincipalName.Of(entry, domain))], Keytab.Write(entries));
        });

    /// <summary>Services, the platform's own among them.</summary>
    /// <exception cref="CandelaException">PermissionDenied; NotSupported: there is no Kerberos.</exception>
    public Task<IReadOnlyList<ServicePrincipalReport>> ListServicesAsync(Actor actor, CancellationToken cancellationToken) =>
        _guard.RunAsync<IReadOnlyList<ServicePrincipalReport>>(actor, "kerberos.list", "", async () =>
        {
            await _guard.RequireAsync(actor, ResourceKind.ServiceAccount, Verb.List, ResourceScope.System, cancellationToken);
            return [.. (await Require().ListAsync(cancellationToken)).Select(service => new ServicePrincipalReport(Whole(service.Name), NameOf(service.AccountId), service.Keys.Version, service.CreatedAt))];
        });

    /// <summary>Removes a service; its keytabs end.</summary>
    /// <exception cref="CandelaException">NotFound; PermissionDenied; Conflict: it is the platform's own; NotSupported: there is no Kerberos.</exception>
    public Task DeleteServiceAsync(Actor actor, string service, CancellationToken cancellationToken) => _guard.RunAsync(actor, "kerberos.delete", service, async () =>
    {
        await _guard.RequireAsync(actor, ResourceKind.ServiceAccount, Verb.Reset, ResourceScope.System, cancellationToken);
        var found = await Require().FindAsync(service, cancellationToken) ?? throw new CandelaException(ErrorCode.NotFound, $"No such service: {service}");
        if (found.AccountId is null)
            throw new CandelaException(ErrorCode.Conflict, $"{service} is the platform's own.");
        await Require().DeleteAsync(service, cancellationToken);
    });

    /// <summary>New random keys for an account.</summary>
    private async Task<IEnumerable<KeytabEntry>> RenewAsync(DirectoryEntry account, Domain domain, CancellationToken cancellationToken)
    {
        var place = IdentityKeys.Credential(account.Id);
        var keys = KeyMaker.MakeRandom();
        KeySet? set = null;
        await _credentials.UpdateAsync(account.Id, (_, document) => document with { Kerberos = set = KeySet.Next(document.Kerberos, null, keys, place, _secrets) }, cancellationToken);
        var name = domain.IsSystem ? account.Name : $"{account.Name}@{domain.Name}";
        return keys.Select(key => new KeytabEntry(_options!.Realm, [name], set!.Version, key));
    }

    private string Whole(string principal) => $"{principal}@{_options!.Realm}";

    private string? NameOf(Guid? accountId) =>
        accountId is { } id && _directory.Current.Get(id) is { } account ? $"{account.Name}@{_directory.Current.GetDomain(account.DomainId)?.Name}" : null;

    private ServicePrincipals Require() =>
        _services ?? throw new CandelaException(ErrorCode.NotSupported, "There is no Kerberos here: start candelad with --kerberos REALM.");
}

/// <summary>A service.</summary>
/// <param name="Principal">Name with realm.</param>
/// <param name="Account">Whose it is; null: the platform's own, or of an account that is gone.</param>
/// <param name="KeyVersion">Number of its keys (kvno).</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record ServicePrincipalReport(string Principal, string? Account, uint KeyVersion, DateTimeOffset CreatedAt);
