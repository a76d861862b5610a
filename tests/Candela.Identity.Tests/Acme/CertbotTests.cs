using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Tests.Tools;

namespace Candela.Identity.Tests.Acme;

/// <summary>An ACME client of another make goes the whole way.</summary>
public sealed class CertbotTests : AcmeBench
{
    [Fact]
    public async Task Certbot_gets_renews_and_revokes_a_certificate()
    {
        await CertbotAsync("certonly", "--standalone", "-d", "web.open.example", "-d", "www.open.example");
        var path = Folder.File("certbot/live/web.open.example/cert.pem");
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(path);
        Assert.True(certificate.MatchesHostname("www.open.example"));
        await Tool.OpenSslAsync(Folder.Path, "verify", "-purpose", "sslserver", "-verify_hostname", "web.open.example", "-CAfile", "root.pem", "-untrusted", "certbot/live/web.open.example/chain.pem", path);
        var record = (await Authority.FindAsync(certificate.RawData, Token))!;
        Assert.StartsWith("acme:", record.Owner, StringComparison.Ordinal);

        await CertbotAsync("renew", "--force-renewal", "--no-random-sleep-on-renew");
        using var renewed = X509CertificateLoader.LoadCertificateFromFile(path);
        Assert.NotEqual(certificate.SerialNumber, renewed.SerialNumber);

        await CertbotAsync("revoke", "--cert-path", path, "--reason", "superseded", "--no-delete-after-revoke");
        await Assert.ThrowsAsync<Candela.Model.CandelaException>(() => Authority.VerifyAsync(renewed.RawData, CertificateProfile.Server, Token));
        await CertbotAsync("update_account", "-m", "ada@open.example");
        await CertbotAsync("unregister");
    }

    [Fact]
    public async Task Certbot_binds_its_account_to_one_that_candela_knows()
    {
        var (id, key) = await Server.CreateExternalAccountAsync("user:ada", ["shop.example"], TimeSpan.FromHours(1), Token);
        await CertbotAsync("certonly", "--standalone", "-d", "shop.example", "--eab-kid", id, "--eab-hmac-key", key, "--key-type", "rsa");
        Assert.True(File.Exists(Folder.File("certbot/live/shop.example/fullchain.pem")));

        // Without a binding that allows it, the name is out of reach.
        var (exitCode, _) = await TryCertbotAsync("other", "certonly", "--standalone", "-d", "shop.example");
        Assert.NotEqual(0, exitCode);
        Assert.False(File.Exists(Folder.File("other/live/shop.example/fullchain.pem")));
    }

    private async Task CertbotAsync(params string[] arguments)
    {
        var (exitCode, output) = await TryCertbotAsync("certbot", arguments);
        Assert.True(exitCode == 0, output);
    }

    private Task<(int ExitCode, string Output)> TryCertbotAsync(string folder, params string[] arguments)
    {
        string[] common =
        [
            "--server", $"{BaseUrl}/directory", "--config-dir", Folder.File(folder), "--work-dir", Folder.File($"{folder}-work"), "--logs-dir", Folder.File($"{folder}-logs"), "--non-interactive", "--no-eff-email",
        ];
        string[] more = arguments[0] switch
        {
            "certonly" => ["--agree-tos", "--register-unsafely-without-email", "--http-01-port", $"{HttpPort}", "--http-01-address", "127.0.0.1", "--issuance-timeout", "30"],
            "renew" => ["--http-01-port", $"{HttpPort}", "--http-01-address", "127.0.0.1"],
            _ => [],
        };
        return Tool.TryRunAsync("certbot", Folder.Path, [("REQUESTS_CA_BUNDLE", Folder.File("root.pem"))], [.. arguments, .. common, .. more]);
    }
}
