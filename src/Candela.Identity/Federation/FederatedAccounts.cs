using Candela.Identity.Accounts;
using Candela.Identity.Ldap.Names;
using Candela.Model;

namespace Candela.Identity.Federation;

/// <summary>
/// The account of whoever an identity provider vouches for: found by the provider's own id for them, never by a name or a mail address, which
/// others may come to have.
/// </summary>
internal sealed class FederatedAccounts(IDirectory directory, AccountLinks links)
{
    private const int AttemptCount = 4;

    /// <summary>The account, made where the provider may have accounts made, and brought up to date.</summary>
    /// <exception cref="FederationException">There is none, or there cannot be.</exception>
    public async Task<DirectoryEntry> AdmitAsync(IdentityProvider provider, UpstreamProfile profile, CancellationToken cancellationToken)
    {
        var compared = provider.Ldap is null ? profile.Groups : [.. profile.Groups.Select(Fold)];
        bool IsIn(string group) => compared.Contains(provider.Ldap is null ? group : Fold(group));
        if (provider.RequiredGroups.Count > 0 && !provider.RequiredGroups.Any(IsIn))
            throw new FederationException("is in none of the groups that may sign in", $"None of your groups at {provider.ShownName} may sign in here. Ask an administrator.");
        var (account, link) = await FindOrCreateAsync(provider, profile, cancellationToken);
        if (account.DomainId != provider.DomainId)
            throw new FederationException("is linked to an account of another domain");
        if (link.OwnsAccount && account is User user)
            account = await UpdateAsync(user, profile, cancellationToken);
        foreach (var mapped in provider.Groups.GroupBy(pair => pair.Value, pair => pair.Key))
            await SetMemberAsync(mapped.Key, account.Id, mapped.Any(IsIn), cancellationToken);
        return account;
    }

    /// <summary>Links an account to a subject.</summary>
    /// <exception cref="FederationException">One of them is linked already.</exception>
    public async Task LinkAsync(IdentityProvider provider, string subject, DirectoryEntry account, CancellationToken cancellationToken)
    {
        if (account.DomainId != provider.DomainId || account is not User)
            throw new FederationException("only users of the provider's own domain can be linked to it", "Your account is of another domain than the one that this identity provider is for.");
        if (!await links.TryAddAsync(provider.Name, subject, account.Id, isNew: false, cancellationToken))
            throw new FederationException("the subject or the account is linked already", $"One of the two is linked already: your account here, or the one at {provider.ShownName}. An administrator can remove a link.");
    }

    private async Task<(DirectoryEntry Account, LinkDocument Link)> FindOrCreateAsync(IdentityProvider provider, UpstreamProfile profile, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < AttemptCount; attempt++)
        {
            if (await links.FindAsync(provider.Name, profile.Subject, cancellationToken) is { } link)
            {
                if (directory.Current.Get(link.AccountId) is { } account)
                {
                    if (link.IsPending)
                        await links.CompleteAsync(provider.Name, link, cancellationToken);
                    return (account, link);
                }

                if (!link.IsPending)
                    throw new FederationException("the account has been deleted here", "Your account here has been deleted. Ask an administrator.");
                if (await TryCreateAsync(provider, profile, link, cancellationToken) is { } made)
                    return (made, link);
                continue;
            }

            if (!provider.CreateAccounts)
                throw new FederationException("is linked to no account", $"You are known to {provider.ShownName}, but have no account here. If you have one, sign in to it and link it on its page; else ask an administrator.");
            CheckName(provider, profile);
            await links.TryAddAsync(provider.Name, profile.Subject, Guid.NewGuid(), isNew: true, cancellationToken);
        }

        throw new FederationException("others change the same account all the time", "That did not work. Try again.");
    }

    /// <summary>Makes the account of a pending link; null: look again.</summary>
    private async Task<DirectoryEntry?> TryCreateAsync(IdentityProvider provider, UpstreamProfile profile, LinkDocument link, CancellationToken cancellationToken)
    {
        try
        {
            CheckName(provider, profile);
            var made = await directory.CreateAsync(Change(new User { Id = link.AccountId, DomainId = provider.DomainId, Name = profile.Name! }, profile), cancellationToken);
            await links.CompleteAsync(provider.Name, link, cancellationToken);
            return made;
        }
        catch (CandelaException e) when (e.Code == ErrorCode.AlreadyExists && directory.Current.Get(link.AccountId) is not null)
        {
            return null; // somebody else was first
        }
        catch (Exception e) when (e is FederationException or CandelaException { Code: ErrorCode.AlreadyExists or ErrorCode.InvalidArgument or ErrorCode.NotFound })
        {
            await links.RemoveAsync(provider.Name, link, cancellationToken);
            throw e as FederationException ?? new FederationException($"no account could be made: {e.Message}", "No account could be made for you. Ask an administrator.", e);
        }
    }

    /// <summary>Whoever has the name already is somebody else until it is said otherwise: by themselves, or by an administrator.</summary>
    private void CheckName(IdentityProvider provider, UpstreamProfile profile)
    {
        if (!EntryName.IsValid(EntryKind.User, profile.Name))
            throw new FederationException("has no name that an account can have", $"{provider.ShownName} gives you no name that an account here can have. Ask an administrator.");
        if (directory.Current.Find(provider.DomainId, profile.Name!) is not null)
            throw new FederationException($"there is an account {profile.Name} already, which is not linked", $"There is an account {profile.Name} here already. If it is yours, sign in to it and link it on its page; else ask an administrator.");
    }

    private async Task<DirectoryEntry> UpdateAsync(User user, UpstreamProfile profile, CancellationToken cancellationToken)
    {
        var changed = Change(user, profile);
        if (changed == user)
            return user;
        try
        {
            return await directory.UpdateAsync(changed, cancellationToken);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.Conflict or ErrorCode.InvalidArgument)
        {
            return user; // what it is called is no reason to keep anybody out
        }
    }

    /// <summary>What the provider says goes over. A mail address that another account has stays with that one.</summary>
    private User Change(User user, UpstreamProfile profile) => user with
    {
        DisplayName = Short(profile.DisplayName) ?? user.DisplayName,
        GivenName = Short(profile.GivenName) ?? user.GivenName,
        Surname = Short(profile.Surname) ?? user.Surname,
        Mail = Short(profile.Mail) is { } mail && IsFree(mail, user) ? mail : user.Mail,
    };

    private bool IsFree(string mail, User user) =>
        string.Equals(mail, user.Mail, StringComparison.OrdinalIgnoreCase) ||
        !directory.Current.Entries.Any(entry => entry is User other && other.DomainId == user.DomainId && other.Id != user.Id && string.Equals(other.Mail, mail, StringComparison.OrdinalIgnoreCase));

    private async Task SetMemberAsync(Guid groupId, Guid accountId, bool isMember, CancellationToken cancellationToken)
    {
        if (directory.Current.Get<Group>(groupId) is null || directory.Current.IsMember(groupId, accountId) == isMember)
            return;
        if (isMember)
            await directory.AddMemberAsync(groupId, accountId, cancellationToken);
        else
            await directory.RemoveMemberAsync(groupId, accountId, cancellationToken);
    }

    private static string? Short(string? text) => text is { Length: > 0 and <= AccountLimits.TextLength } && !text.Any(char.IsControl) ? text : null;

    /// <summary>The one spelling of a distinguished name's spellings.</summary>
    private static string Fold(string name)
    {
        try
        {
            return string.Join(',', DistinguishedName.Parse(name).RelativeNames.Select(parts => string.Join('+', parts.Select(part => $"{part.Type}={DistinguishedName.Escape(part.Value)}").Order(StringComparer.OrdinalIgnoreCase)))).ToLowerInvariant();
        }
        catch (NameSyntaxException)
        {
            return name;
        }
    }
}
