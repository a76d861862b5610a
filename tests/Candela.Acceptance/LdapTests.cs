namespace Candela.Acceptance;

/// <summary>Debian's ldap-utils and the LDAP server of a running platform.</summary>
[Collection(DirectoryCollection.Name)]
public sealed class LdapTests(DirectoryPlatform platform)
{
    [Fact]
    public async Task Users_bind_search_and_change_their_password_under_tls()
    {
        await platform.AddUserAsync("ada");
        string[] bind = ["-x", "-D", DirectoryPlatform.NameOf("ada"), "-w", DirectoryPlatform.Password];

        Assert.Equal("dn:uid=ada,ou=people,dc=system", (await platform.LdapAsync("ldapwhoami", platform.TlsUrl, bind)).Text);
        Assert.Equal("dn:uid=ada,ou=people,dc=system", (await platform.LdapAsync("ldapwhoami", platform.PlainUrl, ["-ZZ", .. bind])).Text);
        var found = (await platform.LdapAsync("ldapsearch", platform.TlsUrl, ["-LLL", .. bind, "-b", "dc=system", "(uid=ada)", "uidNumber"])).Lines;
        Assert.Equal("dn: uid=ada,ou=people,dc=system", found[0]);
        Assert.StartsWith("uidNumber: ", found[1], StringComparison.Ordinal);

        const string New = "a new one for tomorrow";
        _ = (await platform.LdapAsync("ldappasswd", platform.TlsUrl, [.. bind, "-a", DirectoryPlatform.Password, "-s", New])).Text;
        Assert.Equal(49, (await platform.LdapAsync("ldapwhoami", platform.TlsUrl, bind)).ExitCode);
        Assert.Equal(0, (await platform.LdapAsync("ldapwhoami", platform.TlsUrl, [.. bind[..^1], New])).ExitCode);
    }

    [Fact]
    public async Task Binds_are_in_the_audit_log_refused_ones_with_the_reason()
    {
        await platform.AddUserAsync("mallory");
        Assert.Equal(49, (await platform.LdapAsync("ldapwhoami", platform.TlsUrl, "-x", "-D", DirectoryPlatform.NameOf("mallory"), "-w", "guessed")).ExitCode);
        Assert.Equal(0, (await platform.LdapAsync("ldapwhoami", platform.TlsUrl, "-x", "-D", DirectoryPlatform.NameOf("mallory"), "-w", DirectoryPlatform.Password)).ExitCode);

        var records = File.ReadLines(platform.StateFolder + "/audit.log")
            .Where(line => line.Contains("\"ldap.bind\"", StringComparison.Ordinal) && line.Contains("uid=mallory", StringComparison.Ordinal)).ToList();
        Assert.Single(records, line => line.Contains("WrongPassword", StringComparison.Ordinal) && line.Contains("\"127.0.0.1\"", StringComparison.Ordinal));
        Assert.Contains("\"outcome\":\"ok\"", records[^1], StringComparison.Ordinal);
        Assert.DoesNotContain(records, line => line.Contains("guessed", StringComparison.Ordinal) || line.Contains(DirectoryPlatform.Password, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_started_again_platform_has_a_new_certificate_that_the_same_root_vouches_for()
    {
        await platform.AddUserAsync("restarted");
        var roots = await File.ReadAllTextAsync(platform.RunFolder + "/roots.pem", TestContext.Current.CancellationToken);
        await platform.RestartDaemonAsync();
        Assert.Equal(roots, await File.ReadAllTextAsync(platform.RunFolder + "/roots.pem", TestContext.Current.CancellationToken));
        Assert.Equal(0, (await platform.LdapAsync("ldapwhoami", platform.TlsUrl, "-x", "-D", DirectoryPlatform.NameOf("restarted"), "-w", DirectoryPlatform.Password)).ExitCode);
    }
}
