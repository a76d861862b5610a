namespace Candela.Acceptance;

/// <summary>MIT's Kerberos clients and the KDC of a running platform.</summary>
[Collection(DirectoryCollection.Name)]
public sealed class KerberosTests(DirectoryPlatform platform)
{
    [Fact]
    public async Task Passwords_and_keytabs_are_good_for_tickets_until_the_account_is_disabled()
    {
        await platform.AddUserAsync("grace");
        await Deadlines.UntilAsync("a ticket", async () => (await platform.KerberosAsync("kinit", DirectoryPlatform.Password + "\n", "grace")).ExitCode == 0);
        Assert.Contains("ldap/localhost", (await platform.KerberosAsync("kvno", "", "ldap/localhost")).Text, StringComparison.Ordinal);

        var keytab = platform.StateFolder + "/web.keytab";
        _ = (await platform.CandelaAsync("service-account", "create", "web")).Text;
        Assert.Equal("HTTP/www.example.org@" + DirectoryPlatform.Realm, (await platform.CandelaAsync("kerberos", "keytab", "web", keytab, "HTTP/www.example.org")).Text);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(keytab));
        await Deadlines.UntilAsync("the service's ticket", async () => (await platform.KerberosAsync("kvno", "", "-k", keytab, "HTTP/www.example.org")).ExitCode == 0);
        Assert.Contains("web@system", (await platform.CandelaAsync("kerberos", "ls")).Text, StringComparison.Ordinal);
        _ = (await platform.CandelaAsync("kerberos", "rm", "HTTP/www.example.org")).Text;

        _ = (await platform.CandelaAsync("user", "disable", "grace")).Text;
        await Deadlines.UntilAsync("the refusal", async () => (await platform.KerberosAsync("kinit", DirectoryPlatform.Password + "\n", "grace")).Error.Contains("revoked", StringComparison.Ordinal), TimeSpan.FromSeconds(5));
        Assert.Contains(File.ReadLines(platform.StateFolder + "/audit.log"), line => line.Contains("kerberos.sign-in", StringComparison.Ordinal) && line.Contains("\"ok\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_kdc_ends_with_the_daemon_and_the_next_one_knows_the_same_accounts()
    {
        await platform.AddUserAsync("hopper");
        await Deadlines.UntilAsync("a ticket", async () => (await platform.KerberosAsync("kinit", DirectoryPlatform.Password + "\n", "hopper")).ExitCode == 0);
        await platform.RestartDaemonAsync();
        _ = (await platform.KerberosAsync("kinit", DirectoryPlatform.Password + "\n", "hopper")).Text;
        _ = (await platform.KerberosAsync("kvno", "", "host/localhost")).Text;
    }
}
