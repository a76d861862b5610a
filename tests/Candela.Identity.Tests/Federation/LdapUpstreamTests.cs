using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Federation;
using Candela.Identity.Tests.SignIn;
using Candela.Model;

namespace Candela.Identity.Tests.Federation;

/// <summary>Passwords that Debian's slapd checks.</summary>
public sealed class LdapUpstreamTests : IAsyncLifetime
{
    private const string AdaPassword = "ada's own password";

    private FederationBench _bench = null!;
    private Slapd _slapd = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _slapd = await Slapd.StartAsync();
        _bench = await FederationBench.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _bench.DisposeAsync();
        await _slapd.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task People_of_the_directory_sign_in_with_their_passwords_there(bool startTls)
    {
        var crew = await _bench.Identity.AddGroupAsync("crew");
        await AddAsync(startTls, draft => draft with
        {
            Ldap = draft.Ldap! with { GroupBaseName = Slapd.BaseName },
            Groups = new Dictionary<string, Guid> { [@"CN=crew\2C all, OU=People, DC=corp, DC=example"] = crew.Id },
        });
        using var browser = _bench.Pages.Open();
        Assert.Equal("/account", (await browser.SignInAsync("ada", AdaPassword)).Next);
        var ada = Assert.IsType<User>(_bench.Find("ada"));
        Assert.Equal(("Ada", "Lovelace", "ada@corp.example", "Ada Lovelace"), (ada.GivenName, ada.Surname, ada.Mail, ada.DisplayName));
        Assert.True(_bench.Identity.Directory.Current.IsMember(crew.Id, ada.Id));
        Assert.Equal(AuthenticationOutcome.Succeeded, await TryAsync("bob", "bob's own password"));
        Assert.False(_bench.Identity.Directory.Current.IsMember(crew.Id, _bench.Find("bob")!.Id));

        // The directory decides: who changes the password or leaves the group there has done so here.
        await _slapd.ModifyAsync("dn: uid=ada,ou=people,dc=corp,dc=example\nchangetype: modify\nreplace: userPassword\nuserPassword: another one of hers\n\n" +
            "dn: cn=Crew\\, all,ou=people,dc=corp,dc=example\nchangetype: modify\nreplace: member\nmember: uid=bob,ou=people,dc=corp,dc=example");
        Assert.Equal(AuthenticationOutcome.Refused, await TryAsync("ada", AdaPassword));
        Assert.Equal(AuthenticationOutcome.Succeeded, await TryAsync("ada", "another one of hers"));
        Assert.False(_bench.Identity.Directory.Current.IsMember(crew.Id, ada.Id));

        // Not here, where nobody would miss it when she leaves.
        await Assert.ThrowsAsync<CandelaException>(() => _bench.Identity.Credentials.ChangePasswordAsync(LoginName.Parse("ada"), "another one of hers", null, "a fourth one, for here only", Token));
        await _slapd.ModifyAsync("dn: uid=ada,ou=people,dc=corp,dc=example\nchangetype: delete");
        Assert.Equal(AuthenticationOutcome.Refused, await TryAsync("ada", "another one of hers"));
    }

    [Fact]
    public async Task What_is_no_name_and_password_of_theirs_is_refused()
    {
        var local = await _bench.Pages.AddUserAsync("local");
        var bob = await _bench.Identity.Directory.CreateAsync(new User { DomainId = _bench.Identity.SystemId, Name = "bob" }, Token);
        await AddAsync();
        foreach (var (name, password) in new[]
        {
            ("ada", "wrong"), ("ada", ""), ("ada", "*"), ("*", AdaPassword), ("a*", AdaPassword), ("ada)(uid=*", AdaPassword), ("ada)(|(uid=*))", AdaPassword), ("ada\0", AdaPassword), ("nobody", AdaPassword),
            // An account of the same name that is not theirs.
            ("bob", "bob's own password"), ("local", AdaPassword),
        })
            Assert.Equal(AuthenticationOutcome.Refused, await TryAsync(name, password));
        Assert.Null(_bench.Find("ada"));
        Assert.Equal(AuthenticationOutcome.Succeeded, await TryAsync("local", SignInBench.Password));

        // Linked by an administrator, it is.
        var id = (await Tools.Tool.RunAsync("slapcat", null, "-f", Path.Combine(_slapd.Folder, "slapd.conf"), "-a", "(uid=bob)")).Split('\n').Single(line => line.StartsWith("entryUUID: ", StringComparison.Ordinal))[11..].Trim();
        await _bench.Administration.LinkAsync(FederationBench.Root, "corp", "bob", id, Token);
        Assert.Equal(AuthenticationOutcome.Succeeded, await TryAsync("bob", "bob's own password"));
        Assert.NotEqual(local.Id, bob.Id);
    }

    [Fact]
    public async Task Guesses_are_counted_and_a_directory_that_is_not_there_lets_nobody_in()
    {
        await AddAsync();
        Assert.Equal(AuthenticationOutcome.Succeeded, await TryAsync("ada", AdaPassword));
        for (var count = 0; count < 10; count++)
            Assert.Equal(AuthenticationOutcome.Refused, await TryAsync("ada", "a guess"));
        var locked = await _bench.Identity.Authenticator.VerifyPasswordAsync(LoginName.Parse("ada"), AdaPassword, Token);
        Assert.Equal(RefusalReason.LockedOut, locked.Reason);
        await _slapd.DisposeAsync();
        Assert.Equal(AuthenticationOutcome.Busy, await TryAsync("bob", "bob's own password"));
        _slapd = await Slapd.StartAsync();
    }

    [Fact]
    public async Task A_server_that_is_not_the_one_gets_no_password()
    {
        await using var other = await Slapd.StartAsync();
        await AddAsync(change: draft => draft with { Authorities = [other.Authority] });
        Assert.Equal(AuthenticationOutcome.Busy, await TryAsync("ada", AdaPassword));
        await _bench.Administration.UpdateAsync(FederationBench.Root, "corp", present => present with { Authorities = [_slapd.Authority] }, null, null, Token);
        Assert.Equal(AuthenticationOutcome.Succeeded, await TryAsync("ada", AdaPassword));
        // A name without a password would bind as nobody, with success.
        var refused = await Assert.ThrowsAsync<CandelaException>(() => _bench.Administration.UpdateAsync(FederationBench.Root, "corp", present => present, "", null, Token));
        Assert.Equal(ErrorCode.InvalidArgument, refused.Code);
    }

    private async Task<AuthenticationOutcome> TryAsync(string name, string password) => (await _bench.Identity.Authenticator.VerifyPasswordAsync(LoginName.Parse(name), password, Token)).Outcome;

    private Task<IdentityProvider> AddAsync(bool startTls = false, Func<IdentityProvider, IdentityProvider>? change = null) => _bench.Administration.CreateAsync(
        FederationBench.Root, Domain.SystemName, "corp",
        draft =>
        {
            var wanted = draft with
            {
                Ldap = new LdapUpstream("localhost", startTls ? _slapd.Port : _slapd.TlsPort, startTls, Slapd.Administrator, "ou=people," + Slapd.BaseName, "inetOrgPerson", null),
                Authorities = [_slapd.Authority],
                CreateAccounts = true,
            };
            return change?.Invoke(wanted) ?? wanted;
        },
        Slapd.AdministratorPassword, Token);
}
