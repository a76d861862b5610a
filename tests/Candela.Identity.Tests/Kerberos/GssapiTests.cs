using System.Net;
using System.Net.Sockets;
using Candela.Identity.Accounts;
using Candela.Identity.Kerberos;
using Candela.Identity.Ldap;
using Candela.Identity.Tests.Tools;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Identity.Tests.Kerberos;

/// <summary>Debian's ldap-utils with a Kerberos ticket (Cyrus SASL's GSSAPI).</summary>
[Collection(AcceptorCollection.Name)]
public sealed class GssapiTests : KerberosBench
{
    private LdapServer Server => Identity.Get<LdapServer>();

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Server.Start();
        await AddUserAsync("ada");
        await SignInAsync("ada");
    }

    public override async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await base.DisposeAsync();
    }

    protected override void AddServices(IServiceCollection services) =>
        services.AddLdap(new LdapOptions { Endpoints = [new LdapEndpoint(new IPEndPoint(IPAddress.Loopback, 0), IsTls: false), new LdapEndpoint(new IPEndPoint(IPAddress.Loopback, 0), IsTls: false) { TrustsHost = false }] });

    [Fact]
    public async Task A_ticket_binds_and_the_connection_is_its_owner_s()
    {
        var (exitCode, output) = await LdapAsync("ldapwhoami", 0);
        Assert.True(exitCode == 0, output);
        Assert.Contains("dn:uid=ada,ou=people,dc=system", output, StringComparison.Ordinal);
        (exitCode, output) = await LdapAsync("ldapsearch", 0, "-LLL", "-b", "dc=system", "(uid=ada)", "uid");
        Assert.True(exitCode == 0, output);
        Assert.Contains("uid: ada", output, StringComparison.Ordinal);
        Assert.Contains(Audit.Records, record => record is { Action: "ldap.bind", Target: "GSSAPI ada@TEST.EXAMPLE", Failure: null, Actor.Name: "ada@system" });
    }

    [Fact]
    public async Task Where_nothing_protects_the_connection_what_follows_is_encrypted()
    {
        var (exitCode, output) = await LdapAsync("ldapsearch", 1, "-b", "dc=system", "(objectClass=*)");
        Assert.True(exitCode == 0, output);
        Assert.Contains("SASL SSF: 256", output, StringComparison.Ordinal);
        Assert.Contains("uid: ada", output, StringComparison.Ordinal);

        // And a client that does not want that does not get in.
        (exitCode, _) = await LdapAsync("ldapwhoami", 1, "-O", "maxssf=0");
        Assert.NotEqual(0, exitCode);
    }

    [Fact]
    public async Task A_ticket_outlives_its_account_but_is_of_no_use_any_more()
    {
        var user = (User)Identity.Directory.Current.Find(Identity.SystemId, "ada")!;
        Assert.Equal(0, (await LdapAsync("ldapwhoami", 0)).ExitCode);
        await Identity.Directory.UpdateAsync(user with { Enabled = false }, Token);
        Assert.Equal(49, (await LdapAsync("ldapwhoami", 0)).ExitCode);
        Assert.Contains(Audit.Records, record => record is { Action: "ldap.bind", Failure: not null });
    }

    [Fact]
    public async Task Nobody_acts_as_somebody_else()
    {
        await AddUserAsync("grace");
        Assert.Equal(0, (await LdapAsync("ldapwhoami", 0, "-X", "u:ada")).ExitCode);
        Assert.Equal(49, (await LdapAsync("ldapwhoami", 0, "-X", "u:grace")).ExitCode);
    }

    [Fact]
    public async Task Without_a_ticket_and_with_garbage_nobody_gets_in()
    {
        await RunAsync("kdestroy", null);
        Assert.NotEqual(0, (await LdapAsync("ldapwhoami", 0)).ExitCode);
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)Server.Endpoints[0], Token);
        var stream = client.GetStream();
        // BindRequest, version 3, SASL GSSAPI with four bytes that are no token.
        await stream.WriteAsync(Convert.FromHexString("301a02010160150201030400a30e040647535341504904040badf00d"), Token);
        var answer = new byte[64];
        int length = await stream.ReadAsync(answer, Token);
        Assert.Contains("0A0131", Convert.ToHexString(answer.AsSpan(0, length)), StringComparison.Ordinal); // invalidCredentials
    }

    private Task<(int ExitCode, string Output)> LdapAsync(string program, int endpoint, params string[] arguments)
    {
        var address = (IPEndPoint)Server.Endpoints[endpoint];
        // -N: the service is named as it is told, whatever the address is called in reverse.
        return Tool.TryRunAsync(program, null, Variables(Identity.Get<KerberosOptions>()), ["-H", $"ldap://localhost:{address.Port}", "-Y", "GSSAPI", "-N", .. arguments]);
    }
}

/// <summary>A process has one keytab for tickets that it accepts: these tests take turns.</summary>
[CollectionDefinition(Name)]
public sealed class AcceptorCollection
{
    public const string Name = "accepted tickets";
}
