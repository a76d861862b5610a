using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Authorization;
using Candela.Identity.Ldif;
using Candela.State;
using Candela.State.Sqlite;
using Candela.Tests.Shared;

namespace Candela.Identity.Tests.Faults;

/// <summary>A script of all kinds of changes, cut off before each of its commits, and after each before its answer came.</summary>
public sealed class CutOffTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_account_is_half_made_wherever_a_change_is_cut_off(bool afterCommit)
    {
        for (int commits = 0; ; commits++)
        {
            using var folder = new TemporaryFolder();
            await using var store = SqliteStateStore.Open(folder.File("state.db"), TimeProvider.System);
            await using var faulty = new FaultyStateStore(store);
            faulty.FailAfter(commits, afterCommit);
            bool whole = await TryAsync(folder, faulty);
            await Invariants.CheckAsync(store);

            // The next process does what is left to do.
            faulty.Mend();
            Assert.True(await TryAsync(folder, faulty));
            await Invariants.CheckAsync(store);
            if (whole)
            {
                Assert.InRange(commits, 20, 100);
                return;
            }
        }
    }

    private static async Task<bool> TryAsync(TemporaryFolder folder, IStateStore store)
    {
        try
        {
            await using var identity = await IdentityFixture.StartAsync(folder.Path, store);
            await RunAsync(identity);
            return true;
        }
        catch (StateStoreException)
        {
            return false;
        }
    }

    /// <summary>The script; goes on where a former run was cut off.</summary>
    private static async Task RunAsync(IdentityFixture identity)
    {
        var (directory, policy, credentials) = (identity.Directory, identity.Get<IAccessPolicy>(), identity.Credentials);
        var acme = directory.Current.FindDomain("acme") ?? await directory.CreateDomainAsync(new Domain { Name = "acme", Tenant = "acme" }, Token);
        DirectoryEntry? Find(string name) => directory.Current.Find(acme.Id, name);
        if (Find("done") is not null)
            return;

        var ada = (User)(Find("ada") ?? Find("augusta") ?? await credentials.CreateAsync(new User { DomainId = acme.Id, Name = "ada" }, "correct horse battery", mustChange: false, Token));
        Assert.True((await credentials.GetStatusAsync(ada.Id, Token)).HasPassword);
        var robot = Find("robot") ?? await directory.CreateAsync(new ServiceAccount { DomainId = acme.Id, Name = "robot" }, Token);
        var inner = Find("inner") ?? await directory.CreateAsync(new Group { DomainId = acme.Id, Name = "inner" }, Token);
        var outer = Find("outer") ?? await directory.CreateAsync(new Group { DomainId = acme.Id, Name = "outer" }, Token);
        await directory.AddMemberAsync(inner.Id, ada.Id, Token);
        await directory.AddMemberAsync(inner.Id, robot.Id, Token);
        await directory.AddMemberAsync(outer.Id, inner.Id, Token);
        if (ada.Name == "ada")
            ada = await directory.UpdateAsync(ada with { Name = "augusta", Posix = ada.Posix! with { UidNumber = 5000 } }, Token);
        var role = policy.Current.FindRole("acme", "starter") ?? await policy.CreateRoleAsync(new Role { Name = "starter", Tenant = "acme", Permissions = ["container:create"] }, Token);
        var binding = await policy.BindAsync(new RoleBinding { Subject = Subject.Entry(ada.Id), RoleId = role.Id, Scope = ResourceScope.Tenant("acme") }, Token);
        await policy.BindAsync(new RoleBinding { Subject = Subject.Entry(inner.Id), RoleId = BuiltInRoles.Viewer.Id, Scope = ResourceScope.Tenant("acme") }, Token);
        await credentials.SetPasswordAsync(robot.Id, $"password {Guid.NewGuid()}", mustChange: false, Token);
        await credentials.BeginTotpAsync(ada.Id, Token);
        await identity.Authenticator.VerifyPasswordAsync(new LoginName("acme", "augusta"), "wrong password", Token);
        await identity.Get<ILdif>().ImportAsync(acme.Id, new StringReader("dn: uid=eve\nobjectClass: person\nuid: eve\n\ndn: cn=all\nobjectClass: groupOfNames\nmember: uid=eve\n"), LdifPermits.All, Token);
        await directory.DeleteAsync(inner.Id, null, Token);
        await policy.UnbindAsync(binding.Id, Token);
        await policy.DeleteRoleAsync(role.Id, Token);
        await directory.DeleteAsync(ada.Id, null, Token);
        await directory.CreateAsync(new Group { DomainId = acme.Id, Name = "done" }, Token);
    }
}
