using System.Text;
using Candela.Identity.Accounts;
using Candela.Identity.Authorization;
using Candela.Identity.Storage;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Authentication;

/// <summary>
/// The account of this host's users who may use the daemon's sockets and have no account of their own. Made once: who removes it, or its
/// binding, wants it gone.
/// </summary>
internal sealed class LocalAccount(IStateStore store, StoredDirectory directory, TimeProvider time)
{
    /// <summary>Makes the account with its binding, unless that has been done once, by whichever controller.</summary>
    public async Task EnsureAsync(ResourceScope scope, CancellationToken cancellationToken)
    {
        if (await store.GetAsync(IdentityKeys.LocalAccount, cancellationToken) is not null)
            return;
        try
        {
            await directory.CreateAsync(
                new ServiceAccount { DomainId = directory.Current.SystemDomain.Id, Name = LocalUsers.AccountName, Description = "Users of this host without an account of their own, by the daemon's sockets" },
                (account, transaction) => Complete(transaction, account, scope),
                cancellationToken);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.AlreadyExists)
        {
            // Another controller was first, or somebody has an account of that name: its rights are what they are.
        }
    }

    private void Complete(StateTransaction transaction, ServiceAccount account, ResourceScope scope)
    {
        var binding = new RoleBinding { Subject = Subject.Entry(account.Id), RoleId = BuiltInRoles.ProjectAdmin.Id, Scope = scope, CreatedAt = time.GetUtcNow() };
        transaction
            .Expect(IdentityKeys.LocalAccount, 0)
            .Put(IdentityKeys.LocalAccount, Encoding.ASCII.GetBytes($"{account.Id}"))
            .Put(IdentityKeys.Links(account.Id), DirectoryWriter.Mark);
        StoredAccessPolicy.AddTo(transaction, binding with { Id = StoredAccessPolicy.IdOf(binding) });
    }
}
