using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.Authentication;
using Candela.Identity.Ldap.Names;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.OpenIdConnect.Grants;
using Candela.Model;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Federation.Ldap;

/// <summary>Passwords that LDAP directories check: whoever has the name is searched for, and bound as (RFC 4513, section 5.1.3).</summary>
internal sealed partial class UpstreamPasswords(
    IdentityProviders providers, AccountLinks links, FederatedAccounts accounts, UpstreamConnections connections, ProtocolAudit audit, ILogger<UpstreamPasswords> logger) : IUpstreamPasswords
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public async Task<DirectoryEntry?> VerifyAsync(Domain domain, string name, DirectoryEntry? account, string password, CancellationToken cancellationToken)
    {
        foreach (var provider in await ListAsync(domain, cancellationToken))
        {
            // An account of the domain that is not the directory's is none of its business.
            if (account is not null && await links.FindAsync(provider.Name, account.Id, cancellationToken) is null)
            {
                await PretendAsync(provider, cancellationToken);
                continue;
            }

            if (await AskAsync(provider, name, password, cancellationToken) is not { } profile)
                continue;
            try
            {
                var admitted = await accounts.AdmitAsync(provider, profile, cancellationToken);
                // Who has another's name there is not that other here.
                return account is null || admitted.Id == account.Id ? admitted : null;
            }
            catch (FederationException e)
            {
                audit.Refused(
                    Actor.Unproven(Certificates.Names.Printable.Of($"{name}@{domain.Name}"), ""), "signin", $"by {provider.Name}", new CandelaException(ErrorCode.Unauthenticated, e.Message, e));
                return null;
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public async Task PretendAsync(Domain domain, CancellationToken cancellationToken)
    {
        foreach (var provider in await ListAsync(domain, cancellationToken))
            await PretendAsync(provider, cancellationToken);
    }

    private async Task PretendAsync(IdentityProvider provider, CancellationToken cancellationToken)
    {
        try
        {
            await AskAsync(provider, Digest.NewValue(), Digest.NewValue(), cancellationToken);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.Unavailable)
        {
            // It was not needed.
        }
    }

    private async Task<IReadOnlyList<IdentityProvider>> ListAsync(Domain domain, CancellationToken cancellationToken) =>
        [.. (await providers.ListAsync(cancellationToken)).Where(provider => provider.Ldap is not null && provider.DomainId == domain.Id && providers.IsUsable(provider))];

    /// <summary>Whoever name and password are of; null: nobody.</summary>
    private async Task<UpstreamProfile?> AskAsync(IdentityProvider provider, string name, string password, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ending.CancelAfter(Deadline);
        try
        {
            var upstream = provider.Ldap!;
            await using var connection = await LdapClient.ConnectAsync(connections, provider, ending.Token);
            if (upstream.BindName is { } binder && !await connection.TryBindAsync(binder, providers.OpenSecret(provider), ending.Token))
                throw new LdapException(ResultCode.InvalidCredentials, "the directory refuses the name and password to search with");
            string Source(string attribute) => provider.SourceOf(attribute);
            string[] wanted = [.. ProfileAttributes.Ldap.Keys.Select(Source)];
            var found = await connection.SearchAsync(upstream.BaseName, upstream.ObjectClass, [(Source(ProfileAttributes.Name), name)], wanted, ending.Token);
            if (found is not [var entry] || entry.Name.Length == 0)
            {
                // As long as for those who are there: somebody is bound as.
                await connection.TryBindAsync($"{Source(ProfileAttributes.Name)}={DistinguishedName.Escape(Digest.NewValue())},{upstream.BaseName}", Digest.NewValue(), ending.Token);
                if (found.Count > 1)
                    Log.Ambiguous(logger, provider.Name);
                return null;
            }

            var groups = entry.Texts(Source(ProfileAttributes.Groups)).ToList();
            if (upstream.GroupBaseName is { } groupBase)
                groups.AddRange((await connection.SearchAsync(groupBase, null, [("member", entry.Name), ("uniqueMember", entry.Name)], ["1.1"], ending.Token)).Select(group => group.Name));
            if (!await connection.TryBindAsync(entry.Name, password, ending.Token))
                return null;
            return new UpstreamProfile(IdOf(entry, Source(ProfileAttributes.Id)) ?? throw new LdapException(ResultCode.NoSuchAttribute, $"the entry has no {Source(ProfileAttributes.Id)}"))
            {
                Name = entry.Text(Source(ProfileAttributes.Name))?.Split('@')[0],
                DisplayName = entry.Text(Source(ProfileAttributes.DisplayName)),
                GivenName = entry.Text(Source(ProfileAttributes.GivenName)),
                Surname = entry.Text(Source(ProfileAttributes.Surname)),
                Mail = entry.Text(Source(ProfileAttributes.Mail)),
                Groups = groups,
            };
        }
        catch (Exception e) when (e is IOException or SocketException or AuthenticationException or LdapException or LdapProtocolException or CryptographicException ||
            (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            Log.Unavailable(logger, provider.Name, provider.Ldap!.Host, e);
            throw new CandelaException(ErrorCode.Unavailable, $"the directory {provider.Name} cannot be asked: try again later", e);
        }
    }

    /// <summary>A text, or, of Active Directory's objectGUID and its like, the bytes.</summary>
    private static string? IdOf(LdapEntry entry, string attribute) => entry.Attributes.GetValueOrDefault(attribute) is not [{ Length: > 0 and <= 120 } value] ? null
        : StrictUtf8.TextOf(value) is { } text && !text.Any(char.IsControl) ? text : Convert.ToHexStringLower(value);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The LDAP directory {Provider} cannot be asked at {Host}: nobody signs in by it until that is mended")]
        public static partial void Unavailable(ILogger logger, string provider, string host, Exception reason);

        [LoggerMessage(2, LogLevel.Warning, "The LDAP directory {Provider} has more than one entry of a name: it is refused")]
        public static partial void Ambiguous(ILogger logger, string provider);
    }
}
