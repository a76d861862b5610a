using System.Globalization;

namespace Candela.Acceptance;

/// <summary>An instance that speaks LDAP and Kerberos on free ports of the loopback.</summary>
public sealed class DirectoryPlatform : Platform
{
    public const string Password = "correct horse battery";

    public const string Realm = "ACCEPTANCE.EXAMPLE";

    private readonly int _ldap;
    private readonly int _ldaps;

    public DirectoryPlatform()
        : this(FreePort.Next(), FreePort.Next(), FreePort.Next())
    {
    }

    private DirectoryPlatform(int ldap, int ldaps, int kdc)
        : base("--scratch-size", "1", "--waiting", "1", "--ldap", At(ldap), "--ldaps", At(ldaps), "--kerberos", Realm, "--kdc", At(kdc), "--host-name", "localhost") => (_ldap, _ldaps) = (ldap, ldaps);

    /// <summary>LDAP in the clear, for StartTLS.</summary>
    public string PlainUrl => string.Create(CultureInfo.InvariantCulture, $"ldap://localhost:{_ldap}");

    /// <summary>LDAP over TLS.</summary>
    public string TlsUrl => string.Create(CultureInfo.InvariantCulture, $"ldaps://localhost:{_ldaps}");

    /// <summary>Makes a user, who then chooses <see cref="Password"/> by LDAP.</summary>
    public async Task AddUserAsync(string name)
    {
        const string Temporary = "to be changed at once";
        using var creation = StartCandela("user", "create", name, "--password");
        await creation.Input.WriteAsync(System.Text.Encoding.UTF8.GetBytes(Temporary + "\n"));
        _ = (await creation.FinishAsync()).Text;
        _ = (await LdapAsync("ldappasswd", PlainUrl, "-ZZ", "-x", "-a", Temporary, "-s", Password, NameOf(name))).Text;
    }

    /// <summary>Name of a user of the system domain.</summary>
    public static string NameOf(string user) => $"uid={user},ou=people,dc=system";

    /// <summary>Runs one of Debian's ldap-utils, which trusts nothing but the platform's root.</summary>
    public async Task<CommandResult> LdapAsync(string program, string url, params string[] arguments)
    {
        using var command = new RunningCommand(program, ["-H", url, .. arguments], new Dictionary<string, string> { ["LDAPTLS_CACERT"] = RunFolder + "/roots.pem", ["LDAPTLS_REQCERT"] = "demand" });
        return await command.FinishAsync();
    }

    /// <summary>Runs one of MIT Kerberos' clients.</summary>
    public async Task<CommandResult> KerberosAsync(string program, string input, params string[] arguments)
    {
        using var command = new RunningCommand(program, arguments, new Dictionary<string, string> { ["KRB5_CONFIG"] = RunFolder + "/krb5.conf", ["KRB5CCNAME"] = $"FILE:{RunFolder}/tickets" });
        await command.Input.WriteAsync(System.Text.Encoding.UTF8.GetBytes(input));
        return await command.FinishAsync();
    }

    private static string At(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");
}

/// <summary>Tests of the directory's protocols share an instance and take turns: some start it again.</summary>
[CollectionDefinition(Name)]
public sealed class DirectoryCollection : ICollectionFixture<DirectoryPlatform>
{
    public const string Name = "directory";
}
