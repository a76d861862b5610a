using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Certificates.Revocation;
using Candela.Identity.Secrets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Identity.Tests.Ldap;

/// <summary>Binds by password, certificate and code, under TLS and without.</summary>
public sealed class BindTests : LdapBench
{
    private CertificateAuthority? _authority;

    protected override void AddServices(IServiceCollection services) =>
        services.AddSingleton<IClientCertificates>(provider => new LaterCertificates(() => new IssuedClientCertificates(_authority!, provider.GetRequiredService<IDirectory>())));

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await AddUserAsync("ada");
        var options = new CertificateAuthorityOptions { TrustDomain = "example.org", PublicUrl = new Uri("http://pki.example.org/pki") };
        _authority = await CertificateAuthority.OpenAsync(Identity.Store, Identity.Get<ISecretBox>(), options, Identity.Time, NullLogger<CertificateAuthority>.Instance, Token);
    }

    public override async ValueTask DisposeAsync()
    {
        await _authority!.DisposeAsync();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task A_password_is_taken_over_tls_starttls_and_the_loopback()
    {
        Assert.Equal("dn:uid=ada,ou=people,dc=system\n", await RunAsync("ldapwhoami", "ada"));
        Assert.Equal("dn:uid=ada,ou=people,dc=system\n", (await TryAtAsync(TlsUrl, "ldapwhoami", "ada")).Output);
        Assert.Equal("dn:uid=ada,ou=people,dc=system\n", await RunAsync("ldapwhoami", "ada", "-ZZ"));
        Assert.Equal("anonymous\n", await RunAsync("ldapwhoami", null));
        Assert.Equal("anonymous\n", await RunAsync("ldapwhoami", null, "-ZZ"));
        var search = await TryAtAsync(TlsUrl, "ldapsearch", "ada", "-LLL", "-b", "dc=system", "(uid=ada)", "1.1");
        Assert.Equal((0, "dn: uid=ada,ou=people,dc=system\n\n"), search);
    }

    [Theory]
    [InlineData("uid=ada,ou=people,dc=system", "wrong password")]
    [InlineData("uid=nobody,ou=people,dc=system", Password)]
    [InlineData("uid=ada,ou=people,dc=nowhere", Password)]
    [InlineData("uid=ada,ou=services,dc=system", Password)]
    [InlineData("cn=ada,ou=people,dc=system", Password)]
    [InlineData("uid=ada,ou=people", Password)]
    [InlineData("uid=ada,dc=system", Password)]
    [InlineData("uid=x,uid=ada,ou=people,dc=system", Password)]
    [InlineData("uid=ada+cn=ada,ou=people,dc=system", Password)]
    [InlineData("dc=system", Password)]
    [InlineData("cn=staff,ou=groups,dc=system", Password)]
    public async Task Every_refusal_says_the_same(string name, string password)
    {
        await Identity.AddGroupAsync("staff");
        var (exitCode, output) = await TryAsync("ldapwhoami", null, "-D", name, "-w", password);
        Assert.Equal(49, exitCode);
        Assert.Equal("ldap_bind: Invalid credentials (49)\n\tadditional info: the name or the password is wrong, or the account cannot sign in now\n", output);
    }

    [Fact]
    public async Task Names_are_found_in_all_their_spellings()
    {
        foreach (var name in new[] { "UID=Ada,OU=People,DC=SYSTEM", "uid = ada , ou=people,dc=system", "userid=\\61da,2.5.4.11=people,0.9.2342.19200300.100.1.25=system", "uid=#0403616461,ou=people,dc=system" })
            Assert.Equal("dn:uid=ada,ou=people,dc=system\n", await RunAsync("ldapwhoami", null, "-D", name, "-w", Password));
        Assert.Equal(34, (await TryAsync("ldapwhoami", null, "-D", "ada", "-w", Password)).ExitCode);
    }

    [Fact]
    public async Task A_one_time_code_stands_behind_the_password()
    {
        var account = Identity.Directory.Current.Find(Identity.SystemId, "ada")!;
        await Identity.Credentials.BeginTotpAsync(account.Id, Token);
        var (document, _) = await Identity.Get<CredentialStore>().ReadAsync(account.Id, Token);
        var secret = Identity.Get<ISecretBox>().Open(document.SealedNewTotpSecret!, $"/identity/credentials/{account.Id}");
        await Identity.Credentials.ConfirmTotpAsync(account.Id, NextCode(), Token);

        Assert.Equal(49, (await TryAsync("ldapwhoami", "ada")).ExitCode);
        Assert.Equal(49, (await TryAsync("ldapwhoami", null, "-D", NameOf("ada"), "-w", Password + "000000")).ExitCode);
        var code = NextCode();
        Assert.Equal("dn:uid=ada,ou=people,dc=system\n", await RunAsync("ldapwhoami", null, "-D", NameOf("ada"), "-w", Password + code));
        Assert.Equal(49, (await TryAsync("ldapwhoami", null, "-D", NameOf("ada"), "-w", Password + code)).ExitCode);
        await RunAsync("ldappasswd", null, "-a", Password + NextCode(), "-s", "another good password", NameOf("ada"));

        string NextCode()
        {
            Identity.Time.Advance(TimeSpan.FromSeconds(Totp.StepSeconds));
            return Totp.Code(secret, Totp.StepOf(Identity.Time.GetUtcNow()));
        }
    }

    [Fact]
    public async Task Sasl_plain_takes_names_with_their_domain()
    {
        Assert.Equal((0, "dn:uid=ada,ou=people,dc=system"), await SaslAsync(PlainUrl, "PLAIN", "-O", "none", "-U", "ada@system", "-w", Password));
        Assert.Equal((0, "dn:uid=ada,ou=people,dc=system"), await SaslAsync(TlsUrl, "PLAIN", "-U", "ada", "-X", "u:ada", "-w", Password));
        Assert.Equal((0, "dn:uid=ada,ou=people,dc=system"), await SaslAsync(TlsUrl, "PLAIN", "-U", "ada", "-X", "dn:uid=ada,ou=people,dc=system", "-w", Password));
        Assert.Equal(49, (await SaslAsync(TlsUrl, "PLAIN", "-U", "ada", "-X", "u:admin", "-w", Password)).ExitCode);
        Assert.Equal(49, (await SaslAsync(TlsUrl, "PLAIN", "-U", "ada", "-w", "wrong password")).ExitCode);
    }

    [Fact]
    public async Task Sasl_external_takes_a_client_certificate()
    {
        var account = Identity.Directory.Current.Find(Identity.SystemId, "ada")!;
        var issued = await IssueAsync(CertificateOwner.Of(account));
        (string, string)[] shown = [("LDAPTLS_CERT", Folder.File("client.pem")), ("LDAPTLS_KEY", Folder.File("client.key"))];

        Assert.Equal((0, "dn:uid=ada,ou=people,dc=system"), await SaslAsync(TlsUrl, "EXTERNAL", shown));
        Assert.Equal((0, "dn:uid=ada,ou=people,dc=system"), await SaslAsync(PlainUrl, "EXTERNAL", shown, "-ZZ"));
        Assert.Equal((0, "dn:uid=ada,ou=people,dc=system"), await SaslAsync(TlsUrl, "EXTERNAL", shown, "-X", "u:ada@system"));
        Assert.Equal(49, (await SaslAsync(TlsUrl, "EXTERNAL", shown, "-X", "u:admin")).ExitCode);
        Assert.Contains("supportedSASLMechanisms: EXTERNAL", (await ToolAsync("ldapsearch", TlsUrl, shown, "-x", "-LLL", "-b", "", "-s", "base", "supportedSASLMechanisms")).Output, StringComparison.Ordinal);

        await _authority!.RevokeAsync(issued.Serial, RevocationReason.KeyCompromise, Token);
        Assert.Equal(49, (await SaslAsync(TlsUrl, "EXTERNAL", shown)).ExitCode);
        await IssueAsync($"container:{account.Id}");
        Assert.Equal(49, (await SaslAsync(TlsUrl, "EXTERNAL", shown)).ExitCode);
        await IssueAsync($"service-account:{account.Id}");
        Assert.Equal(49, (await SaslAsync(TlsUrl, "EXTERNAL", shown)).ExitCode);
        SelfSign();
        Assert.Equal(49, (await SaslAsync(TlsUrl, "EXTERNAL", shown)).ExitCode);
        Assert.NotEqual(0, (await SaslAsync(TlsUrl, "EXTERNAL")).ExitCode);
    }

    private async Task<IssuedCertificate> IssueAsync(string owner)
    {
        var (certificate, key) = await _authority!.IssueWithKeyAsync(
            new CertificateOrder { Profile = CertificateProfile.Client, Owner = owner, CommonName = "ada" }, Token);
        await File.WriteAllTextAsync(Folder.File("client.pem"), certificate.ToPem(), Token);
        await File.WriteAllTextAsync(Folder.File("client.key"), PemEncoding.WriteString("PRIVATE KEY", key), Token);
        return certificate;
    }

    private void SelfSign()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=ada", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(Folder.File("client.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Folder.File("client.key"), key.ExportPkcs8PrivateKeyPem());
    }

    private Task<(int ExitCode, string Output)> SaslAsync(string url, string mechanism, params string[] arguments) => SaslAsync(url, mechanism, [], arguments);

    private async Task<(int ExitCode, string Output)> SaslAsync(string url, string mechanism, (string, string)[] environment, params string[] arguments)
    {
        var (exitCode, output) = await ToolAsync("ldapwhoami", url, environment, ["-Q", "-Y", mechanism, .. arguments]);
        return (exitCode, output.Split('\n').FirstOrDefault(line => line.StartsWith("dn:", StringComparison.Ordinal)) ?? output);
    }

    /// <summary>The authority is opened when the server runs already.</summary>
    private sealed class LaterCertificates(Func<IClientCertificates> make) : IClientCertificates
    {
        public Task<DirectoryEntry?> FindAccountAsync(ReadOnlyMemory<byte> certificate, CancellationToken cancellationToken) => make().FindAccountAsync(certificate, cancellationToken);
    }
}
