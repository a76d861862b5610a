using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Identity.Kerberos;
using Candela.Model;

namespace Candela.Identity.Tests.Kerberos;

/// <summary>Keytabs of service accounts and services, used by MIT's programs.</summary>
public sealed class KeytabTests : KerberosBench
{
    private static readonly Actor Root = Actor.Local("root", 0);

    private KerberosAdministration Administration => Identity.Get<KerberosAdministration>();

    [Fact]
    public async Task A_service_account_signs_in_by_its_keytab_until_there_is_another()
    {
        var account = await AddServiceAccountAsync("backup");
        await MakeAsync("backup.keytab", "backup");
        Assert.Contains("aes256-cts-hmac-sha384-192", await RunAsync("klist", null, "-ket", File("backup.keytab")), StringComparison.Ordinal);
        await UntilAsync("backup", "", (exitCode, _) => exitCode == 0, "-kt", File("backup.keytab"));
        await RunAsync("kvno", null, "HTTP/localhost");

        await MakeAsync("second.keytab", "backup");
        await UntilAsync("backup", "", (exitCode, _) => exitCode == 0, "-kt", File("second.keytab"));
        Assert.NotEqual(0, (await TryAsync("kinit", null, "-kt", File("backup.keytab"), "backup")).ExitCode);

        // A password that is set ends the keytab: whoever has it is shut out.
        await Identity.Credentials.SetPasswordAsync(account.Id, Password, mustChange: false, Token);
        await UntilAsync("backup", "", (exitCode, _) => exitCode != 0, "-kt", File("second.keytab"));
        await SignInAsync("backup");
    }

    [Fact]
    public async Task A_service_s_keytab_opens_its_tickets_and_goes_with_its_account()
    {
        var account = await AddServiceAccountAsync("web");
        await AddUserAsync("ada");
        await MakeAsync("web.keytab", "web", "HTTP/www.example.org", "host/www.example.org");
        await SignInAsync("ada");
        await RunAsync("kvno", null, "-k", File("web.keytab"), "HTTP/www.example.org");
        await RunAsync("kvno", null, "-k", File("web.keytab"), "host/www.example.org");

        await Identity.Directory.UpdateAsync((ServiceAccount)Identity.Directory.Current.Get(account.Id)! with { Enabled = false }, Token);
        await UntilAsync("host/www.example.org", "", (exitCode, _) => exitCode != 0, "-kt", File("web.keytab"));
        await RunAsync("kdestroy", null);
        await SignInAsync("ada");
        Assert.NotEqual(0, (await TryAsync("kvno", null, "HTTP/www.example.org")).ExitCode);

        await Administration.DeleteServiceAsync(Root, "HTTP/www.example.org", Token);
        Assert.DoesNotContain(await Administration.ListServicesAsync(Root, Token), service => service.Principal.StartsWith("HTTP/www", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Keytabs_take_the_right_to_reset_and_nobody_takes_another_s_service()
    {
        await AddServiceAccountAsync("web");
        await AddServiceAccountAsync("other");
        await MakeAsync("web.keytab", "web", "HTTP/www.example.org");
        Assert.Equal(ErrorCode.AlreadyExists, await RefusalAsync(Root, "other", "HTTP/www.example.org"));
        Assert.Equal(ErrorCode.AlreadyExists, await RefusalAsync(Root, "other", "ldap/localhost"));
        foreach (var wrong in new[] { "krbtgt/TEST.EXAMPLE", "kadmin/admin", "HTTP", "HTTP/a/b", "HTTP/UPPER.example", "HTTP/a@b", "K/M" })
            Assert.Equal(ErrorCode.InvalidArgument, await RefusalAsync(Root, "web", wrong));

        var ada = await AddUserAsync("ada");
        var actor = Actor.Of(ada, Identity.Directory.Current.SystemDomain, "test");
        Assert.Equal(ErrorCode.PermissionDenied, await RefusalAsync(actor, "web"));
        Assert.Equal(ErrorCode.PermissionDenied, await RefusalAsync(actor, "web", "HTTP/another.example.org"));
        await Identity.Get<IAccessPolicy>().BindAsync(new RoleBinding { Subject = Subject.Entry(ada.Id), RoleId = BuiltInRoles.SystemAdmin.Id, Scope = ResourceScope.System }, Token);
        await Administration.MakeKeytabAsync(actor, Reference("web"), [], Token);
        Assert.Contains(Audit.Records, record => record is { Action: "kerberos.keytab", Failure: not null, Actor.Name: "ada@system" });
    }

    private static EntryReference Reference(string account) => new(Domain.SystemName, EntryKind.ServiceAccount, account);

    private Task<ServiceAccount> AddServiceAccountAsync(string name) => Identity.Directory.CreateAsync(new ServiceAccount { DomainId = Identity.SystemId, Name = name }, Token);

    private async Task MakeAsync(string file, string account, params string[] services)
    {
        var (_, keytab) = await Administration.MakeKeytabAsync(Root, Reference(account), services, Token);
        await System.IO.File.WriteAllBytesAsync(File(file), keytab, Token);
    }

    private async Task<ErrorCode> RefusalAsync(Actor actor, string account, params string[] services) =>
        (await Assert.ThrowsAsync<CandelaException>(() => Administration.MakeKeytabAsync(actor, Reference(account), services, Token))).Code;
}
