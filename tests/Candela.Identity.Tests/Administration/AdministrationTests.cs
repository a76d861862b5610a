using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Identity.Tests.Administration;

public sealed class AdministrationTests : IAsyncLifetime
{
    private const string Password = "correct horse battery";

    private readonly RecordingAudit _audit = new();
    private readonly Actor _root = Actor.Local("root", 0);

    private IdentityFixture _identity = null!;
    private Domain _acme = null!;
    private Actor _admin = null!; // tenant-admin of acme
    private Actor _eve = null!; // nobody in acme

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private DirectoryAdministration Directory => _identity.Get<DirectoryAdministration>();

    private PolicyAdministration Policy => _identity.Get<PolicyAdministration>();

    public async ValueTask InitializeAsync()
    {
        _identity = await IdentityFixture.StartAsync(more: services => services.AddSingleton<IAuditSink>(_audit));
        _acme = await Directory.CreateDomainAsync(_root, new Domain { Name = "acme", Tenant = "acme" }, Token);
        _admin = await AddAsync("admin");
        _eve = await AddAsync("eve");
        await Policy.CreateBindingAsync(_root, _admin.Subject!.Value, "tenant-admin", ResourceScope.Tenant("acme"), Token);
    }

    public ValueTask DisposeAsync() => _identity.DisposeAsync();

    [Fact]
    public async Task An_administrator_of_a_tenant_rules_its_domain_and_no_other()
    {
        await Directory.CreateAsync(_admin, "acme", id => new User { DomainId = id, Name = "ada" }, Password, mustChange: false, Token);
        await Directory.UpdateAsync<User>(_admin, Ref("ada"), ada => ada with { Mail = "ada@example.org" }, null, Token);
        await Directory.ResetPasswordAsync(_admin, Ref("ada"), "another good password", mustChange: true, Token);
        await Policy.CreateBindingAsync(_admin, Policy.FindSubject("user:ada@acme"), "developer", ResourceScope.Project("acme", "web"), Token);
        Assert.Equal(["acme"], (await Directory.ListDomainsAsync(_admin, Token)).Select(domain => domain.Name));
        Assert.Equal(3, (await Directory.ListAsync(_admin, "acme", EntryKind.User, null, 10, Token)).Count);
        await Directory.DeleteAsync(_admin, Ref("ada"), Token);

        await DeniedAsync(() => Directory.ListAsync(_admin, "system", EntryKind.User, null, 10, Token));
        await DeniedAsync(() => Directory.GetAsync(_admin, new("system", EntryKind.User, "admin"), Token));
        await DeniedAsync(() => Directory.CreateAsync(_admin, "system", id => new User { DomainId = id, Name = "ada" }, Password, mustChange: false, Token));
        await DeniedAsync(() => Directory.ResetPasswordAsync(_admin, new("system", EntryKind.User, "admin"), Password, mustChange: false, Token));
        await DeniedAsync(() => Directory.CreateDomainAsync(_admin, new Domain { Name = "mine", Tenant = "mine" }, Token));
        await DeniedAsync(() => Directory.DeleteDomainAsync(_admin, "acme", Token));
        await DeniedAsync(() => Directory.CreateAsync(_admin, "acme", id => new MachineAccount { DomainId = id, Name = "host" }, null, mustChange: false, Token));
        await DeniedAsync(() => Policy.ListBindingsAsync(_admin, ResourceScope.System, null, Token));
        await DeniedAsync(() => Policy.ListRolesAsync(_admin, null, Token));
    }

    [Fact]
    public async Task Who_has_no_role_learns_nothing_not_even_what_exists()
    {
        foreach (var name in new[] { "admin", "nobody", _admin.Subject!.Value.EntryId.ToString() })
        {
            await DeniedAsync(() => Directory.GetAsync(_eve, Ref(name), Token));
            await DeniedAsync(() => Directory.DeleteAsync(_eve, Ref(name), Token));
            await DeniedAsync(() => Directory.GetCredentialsAsync(_eve, Ref(name), Token));
        }

        await DeniedAsync(() => Policy.DeleteBindingAsync(_eve, Guid.NewGuid(), Token));
        await DeniedAsync(() => Policy.DecideAsync(_eve, _admin.Subject, new Permission(ResourceKind.User, Verb.Get), ResourceScope.Tenant("acme"), Token));
        Assert.False((await Policy.DecideAsync(_eve, null, new Permission(ResourceKind.User, Verb.Get), ResourceScope.Tenant("acme"), Token))!.Allowed);
        await DeniedAsync(() => Directory.ListDomainsAsync(_eve, Token));
        Assert.Equal(ErrorCode.NotFound, (await Assert.ThrowsAsync<CandelaException>(() => Directory.GetAsync(_admin, Ref("nobody"), Token))).Code);
    }

    [Fact]
    public async Task No_way_leads_to_more_rights_than_one_has()
    {
        // By a role of one's own making, by changing one, by giving one.
        await DeniedAsync(() => Policy.CreateRoleAsync(_admin, new Role { Name = "mine", Tenant = "acme", Permissions = ["machine:*"] }, Token));
        await DeniedAsync(() => Policy.CreateRoleAsync(_admin, new Role { Name = "mine", Permissions = ["container:get"] }, Token));
        await Policy.CreateRoleAsync(_admin, new Role { Name = "mine", Tenant = "acme", Permissions = ["container:*"] }, Token);
        await DeniedAsync(() => Policy.UpdateRoleAsync(_admin, "acme", "mine", role => role with { Permissions = ["*:*"] }, null, Token));
        await DeniedAsync(() => Policy.CreateBindingAsync(_admin, _admin.Subject!.Value, "system-admin", ResourceScope.Tenant("acme"), Token));
        await DeniedAsync(() => Policy.CreateBindingAsync(_admin, _admin.Subject!.Value, "viewer", ResourceScope.System, Token));
        await DeniedAsync(() => Policy.CreateBindingAsync(_eve, _eve.Subject!.Value, "viewer", ResourceScope.Tenant("acme"), Token));

        // By the password of somebody who has more, or by waking such an account.
        var (boss, _) = (await AddAsync("boss"), await Policy.CreateBindingAsync(_root, Policy.FindSubject("user:boss@acme"), "system-admin", ResourceScope.Tenant("acme"), Token));
        await DeniedAsync(() => Directory.ResetPasswordAsync(_admin, Ref("boss"), Password, mustChange: false, Token));
        await DeniedAsync(() => Directory.RemoveSecondFactorAsync(_admin, Ref("boss"), Token));
        await Directory.UpdateAsync<User>(_admin, Ref("boss"), user => user with { Enabled = false }, null, Token);
        await DeniedAsync(() => Directory.UpdateAsync<User>(_admin, Ref("boss"), user => user with { Enabled = true }, null, Token));
        Assert.NotNull(boss);

        // By a group that has more, directly, through another one, or by a file.
        await Directory.CreateAsync(_root, "acme", id => new Group { DomainId = id, Name = "bosses" }, null, mustChange: false, Token);
        await Directory.CreateAsync(_admin, "acme", id => new Group { DomainId = id, Name = "inner" }, null, mustChange: false, Token);
        await Policy.CreateBindingAsync(_root, Policy.FindSubject("group:bosses@acme"), "system-admin", ResourceScope.Tenant("acme"), Token);
        await DeniedAsync(() => Directory.AddMemberAsync(_admin, Group("bosses"), Ref("admin"), Token));
        await Directory.AddMemberAsync(_root, Group("bosses"), Group("inner"), Token);
        await DeniedAsync(() => Directory.AddMemberAsync(_admin, Group("inner"), Ref("admin"), Token));
        var import = await Directory.ImportAsync(_admin, "acme", new StringReader("dn: cn=bosses\nobjectClass: groupOfNames\nmember: uid=admin\n\ndn: cn=host\nobjectClass: device\n\ndn: cn=new\nobjectClass: groupOfNames\nmember: uid=admin\n"), Token);
        Assert.Equal((1, 1, 2), (import.CreatedCount, import.MembershipCount, import.Problems.Count));
        Assert.All(import.Problems, problem => Assert.Contains("admin@acme may not", problem, StringComparison.Ordinal));
        await Directory.ExportAsync(_admin, "acme", new StringWriter(), withPasswords: false, Token);

        // By hashes.
        await DeniedAsync(() => Directory.ExportAsync(_admin, "acme", new StringWriter(), withPasswords: true, Token));
        Assert.False((await Policy.DecideAsync(_admin, null, new Permission(ResourceKind.Machine, Verb.Get), ResourceScope.Tenant("acme"), Token))!.Allowed);
    }

    [Fact]
    public async Task Right_to_one_account_is_right_to_that_one()
    {
        var ada = await AddAsync("ada");
        await Policy.CreateRoleAsync(_root, new Role { Name = "help-desk", Permissions = ["user:get", "user:reset"] }, Token);
        await Policy.CreateBindingAsync(_root, _eve.Subject!.Value, "help-desk", ResourceScope.Tenant("acme").Resource(ResourceKind.User, ada.Subject!.Value.EntryId.ToString()), Token);
        await Directory.ResetPasswordAsync(_eve, Ref("ada"), "another good password", mustChange: true, Token);
        await DeniedAsync(() => Directory.ResetPasswordAsync(_eve, Ref("admin"), Password, mustChange: true, Token));
        await DeniedAsync(() => Directory.DeleteAsync(_eve, Ref("ada"), Token));
    }

    [Fact]
    public async Task A_change_that_rests_on_an_old_revision_is_refused()
    {
        var entry = await Directory.GetAsync(_admin, Ref("eve"), Token);
        await Directory.UpdateAsync<User>(_admin, Ref("eve"), user => user with { Mail = "eve@example.org" }, entry.Revision, Token);
        var refused = await Assert.ThrowsAsync<CandelaException>(() => Directory.UpdateAsync<User>(_admin, Ref("eve"), user => user with { Mail = null }, entry.Revision, Token));
        Assert.Equal(ErrorCode.Conflict, refused.Code);
    }

    [Fact]
    public async Task What_was_done_and_what_was_refused_is_in_the_audit_without_secrets()
    {
        _audit.Records.Clear();
        await Directory.ResetPasswordAsync(_admin, Ref("eve"), "another good password", mustChange: true, Token);
        await DeniedAsync(() => Directory.DeleteAsync(_eve, Ref("admin"), Token));
        Assert.Equal(
            [("admin@acme", "credential.reset-password", "eve@acme", null), ("eve@acme", "user.delete", "admin@acme", ErrorCode.PermissionDenied)],
            _audit.Records.Select(r => (r.Actor.Name, r.Action, r.Target, (r.Failure as CandelaException)?.Code)));
        Assert.All(_audit.Records, record => Assert.DoesNotContain("another good", record.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void Subjects_are_described_as_they_are_found()
    {
        foreach (var text in new[] { "user:eve@acme", "workload:acme/web/api", "user:admin@system" })
            Assert.Equal(text, Policy.Describe(Policy.FindSubject(text)));
        Assert.Equal(Policy.FindSubject("user:admin@system"), Policy.FindSubject("user:admin"));
        Assert.Equal(ErrorCode.NotFound, Assert.Throws<CandelaException>(() => Policy.FindSubject("group:eve@acme")).Code);
        Assert.Equal(ErrorCode.InvalidArgument, Assert.Throws<CandelaException>(() => Policy.FindSubject("eve")).Code);
    }

    private static EntryReference Ref(string name) => new("acme", EntryKind.User, name);

    private static EntryReference Group(string name) => new("acme", EntryKind.Group, name);

    private static async Task DeniedAsync(Func<Task> call) => Assert.Equal(ErrorCode.PermissionDenied, (await Assert.ThrowsAsync<CandelaException>(call)).Code);

    private async Task<Actor> AddAsync(string name) =>
        Actor.Of(await Directory.CreateAsync(_root, "acme", id => new User { DomainId = id, Name = name }, Password, mustChange: false, Token), _acme, "192.0.2.1");

    private sealed class RecordingAudit : IAuditSink
    {
        public List<AuditRecord> Records { get; } = [];

        public void Record(AuditRecord record) => Records.Add(record);
    }
}
