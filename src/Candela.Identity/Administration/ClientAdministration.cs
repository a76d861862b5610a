using System.Security.Cryptography;
using System.Text;
using Candela.Identity.Accounts;
using Candela.Identity.Authorization;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.OpenIdConnect.Grants;
using Candela.Identity.SignIn;
using Candela.Model;

namespace Candela.Identity.Administration;

/// <summary>
/// OAuth clients as an actor may see and change them: every call asks whether the actor may, and is kept in the audit log. The way for front
/// ends. Failures are <see cref="CandelaException"/>s, PermissionDenied among them.
/// </summary>
public sealed class ClientAdministration
{
    private const int KeepSecondsMaximum = 30 * 24 * 3600;

    private readonly IDirectory _directory;
    private readonly ClientStore _clients;
    private readonly AccessGuard _guard;
    private readonly TimeProvider _time;
    private readonly SignInOptions? _signIn;

    internal ClientAdministration(IDirectory directory, ClientStore clients, AccessGuard guard, TimeProvider time, SignInOptions? signIn) =>
        (_directory, _clients, _guard, _time, _signIn) = (directory, clients, guard, time, signIn);

    /// <summary>Clients of a domain, by id.</summary>
    public Task<IReadOnlyList<OAuthClient>> ListAsync(Actor actor, string domain, CancellationToken cancellationToken) => _guard.RunAsync(actor, "client.list", domain, async () =>
    {
        var found = EntryReference.FindDomain(_directory.Current, domain);
        await _guard.RequireAsync(actor, ResourceKind.Client, Verb.List, AccessGuard.ScopeOf(found), cancellationToken);
        return await _clients.ListAsync(found.Id, cancellationToken);
    });

    /// <summary>One client.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    public Task<OAuthClient> GetAsync(Actor actor, string name, string domain, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "client.get", $"{name}@{domain}", () => FindAsync(actor, Verb.Get, name, domain, cancellationToken));

    /// <summary>Registers a client. It gets a secret, if that is how it proves itself.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="name">Name in the domain.</param>
    /// <param name="domain">Domain.</param>
    /// <param name="client">What is wanted, given the id and the domain's.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The client, and its secret, which cannot be had again.</returns>
    /// <exception cref="CandelaException">NotFound: no such domain or service account; InvalidArgument; AlreadyExists.</exception>
    public Task<(OAuthClient Client, string? Secret)> CreateAsync(Actor actor, string name, string domain, Func<string, Guid, OAuthClient> client, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "client.create", $"{name}@{domain}", async () =>
        {
            var found = EntryReference.FindDomain(_directory.Current, domain);
            await _guard.RequireAsync(actor, ResourceKind.Client, Verb.Create, AccessGuard.ScopeOf(found), cancellationToken);
            var made = client($"{name}@{found.Name}", found.Id);
            await CheckAsync(actor, found, made, cancellationToken);
            if (made.Authentication != ClientAuthentication.Secret)
                return (await _clients.CreateAsync(made, cancellationToken), (string?)null);
            var (secret, stored) = NewSecret();
            return (await _clients.CreateAsync(made with { Secrets = [stored] }, cancellationToken), secret);
        });

    /// <summary>Gives a client another secret.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="name">Name.</param>
    /// <param name="domain">Domain.</param>
    /// <param name="keep">For how long the former ones go on to count; at most 30 days.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">NotFound; Conflict: it does not prove itself by a secret; InvalidArgument.</exception>
    public Task<(OAuthClient Client, string? Secret)> RotateSecretAsync(Actor actor, string name, string domain, TimeSpan keep, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "client.rotate-secret", $"{name}@{domain}", async () =>
        {
            var client = await FindAsync(actor, Verb.Reset, name, domain, cancellationToken);
            if (keep < TimeSpan.Zero || keep.TotalSeconds > KeepSecondsMaximum)
                throw new CandelaException(ErrorCode.InvalidArgument, $"former secrets can be kept for 0 to {KeepSecondsMaximum} seconds");
            // Whoever holds the secret has what the client has.
            if (client.ServiceAccountId is { } id && _directory.Current.Get(id) is { } account)
                await _guard.RequireCoverAsync(actor, account, cancellationToken);
            var (secret, stored) = NewSecret();
            var end = _time.GetUtcNow() + keep;
            var changed = await _clients.UpdateAsync(
                client.Id,
                present => present.Authentication == ClientAuthentication.Secret
                    ? present with { Secrets = [stored, .. present.Secrets.Take(1).Where(_ => keep > TimeSpan.Zero).Select(former => former with { ExpiresAt = end })] }
                    : throw new CandelaException(ErrorCode.Conflict, $"{present.Id} does not prove itself by a secret"),
                cancellationToken);
            return (changed, (string?)secret);
        });

    /// <summary>Removes a client: its tokens count no more.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    public Task DeleteAsync(Actor actor, string name, string domain, CancellationToken cancellationToken) => _guard.RunAsync(actor, "client.delete", $"{name}@{domain}", async () =>
        await _clients.DeleteAsync((await FindAsync(actor, Verb.Delete, name, domain, cancellationToken)).Id, cancellationToken));

    /// <summary>A service account by name and domain, for a client to act as.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    public Guid FindServiceAccount(string name, string domain) =>
        new EntryReference(domain, EntryKind.ServiceAccount, name).Find(_directory.Current, EntryReference.FindDomain(_directory.Current, domain))?.Id ??
        throw new CandelaException(ErrorCode.NotFound, $"No such service account: {name}@{domain}");

    private async Task<OAuthClient> FindAsync(Actor actor, Verb verb, string name, string domain, CancellationToken cancellationToken)
    {
        var found = EntryReference.FindDomain(_directory.Current, domain);
        await _guard.RequireAsync(actor, ResourceKind.Client, verb, AccessGuard.ScopeOf(found), cancellationToken);
        return await _clients.FindAsync($"{name}@{found.Name}", cancellationToken) is { } client && client.DomainId == found.Id
            ? client
            : throw new CandelaException(ErrorCode.NotFound, $"No such client: {name}@{domain}");
    }

    /// <summary>Nobody gives out more than they have.</summary>
    private async Task CheckAsync(Actor actor, Domain domain, OAuthClient client, CancellationToken cancellationToken)
    {
        if (client.ServiceAccountId is { } id)
        {
            if (_directory.Current.Get(id) is not ServiceAccount account || account.DomainId != domain.Id)
                throw new CandelaException(ErrorCode.InvalidArgument, "the service account must be one of the client's own domain");
            await _guard.RequireCoverAsync(actor, account, cancellationToken);
        }

        // Acts for people without asking them, or with all their rights here: for the installation's operators to decide.
        if (client.Trusted || (_signIn is not null && client.Audiences.Contains(BuiltInClients.ApiAudience(_signIn.Origin)) && client.Grants.Any(grant => grant != GrantTypes.ClientCredentials)))
            await _guard.RequireAsync(actor, ResourceKind.Client, Verb.Create, ResourceScope.System, cancellationToken);
    }

    private (string Secret, ClientSecret Stored) NewSecret()
    {
        var secret = Digest.NewValue();
        return (secret, new ClientSecret(SHA256.HashData(Encoding.UTF8.GetBytes(secret)), _time.GetUtcNow(), null));
    }
}
