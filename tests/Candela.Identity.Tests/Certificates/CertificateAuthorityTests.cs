using System.Net;
using System.Security.Cryptography;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Tests.Tools;
using Candela.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Identity.Tests.Certificates;

public sealed class CertificateAuthorityTests : CertificateBench
{
    [Fact]
    public async Task Openssl_verifies_what_was_issued_up_to_the_root()
    {
        var (certificate, key) = await Authority.IssueWithKeyAsync(
            ServerOrder("web.shop.example") with { Names = new CertificateNames { Dns = ["web.shop.example"], Addresses = [IPAddress.Parse("10.1.2.3")] } }, Token);
        await WriteAsync(certificate);
        Assert.Contains("leaf.pem: OK", await Tool.OpenSslAsync(
            Folder.Path, "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "web.shop.example", "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem"), StringComparison.Ordinal);
        var (exitCode, output) = await Tool.TryRunAsync(
            "openssl", Folder.Path, "verify", "-purpose", "sslclient", "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem");
        Assert.True(exitCode != 0 && output.Contains("unsuitable certificate purpose", StringComparison.Ordinal), output);

        using var ecdsa = ECDsa.Create();
        ecdsa.ImportPkcs8PrivateKey(key, out _);
        using var loaded = certificate.ToCertificate();
        Assert.Equal(loaded.PublicKey.ExportSubjectPublicKeyInfo(), ecdsa.ExportSubjectPublicKeyInfo());
        Assert.Equal(32, certificate.Serial.Length);
        Assert.Equal(certificate.Serial, loaded.SerialNumber.TrimStart('0').PadLeft(32, '0'));
    }

    [Theory]
    [InlineData("ec", "-pkeyopt", "ec_paramgen_curve:P-256")]
    [InlineData("ec", "-pkeyopt", "ec_paramgen_curve:P-384")]
    [InlineData("rsa", "-pkeyopt", "rsa_keygen_bits:2048")]
    public async Task A_signing_request_of_openssl_is_fulfilled(params string[] key)
    {
        await Tool.OpenSslAsync(Folder.Path, ["genpkey", "-algorithm", .. key, "-out", "key.pem"]);
        await Tool.OpenSslAsync(Folder.Path, "req", "-new", "-key", "key.pem", "-subj", "/C=CH/O=Somebody/CN=a.example", "-addext", "subjectAltName=DNS:a.example,DNS:*.b.example,IP:10.0.0.1", "-outform", "der", "-out", "request.der");
        var certificate = await Authority.IssueAsync(ServerOrder() with { Names = CertificateNames.None }, await File.ReadAllBytesAsync(Folder.File("request.der"), Token), Token);
        await WriteAsync(certificate);
        await Tool.OpenSslAsync(Folder.Path, "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "x.b.example", "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem");
        Assert.Equal(["a.example", "*.b.example", "10.0.0.1"], certificate.Names);
        Assert.Equal("O=Candela, CN=a.example", certificate.Subject);
    }

    [Fact]
    public async Task Authorities_are_the_same_after_a_restart_and_for_a_second_controller()
    {
        var root = Authority.Roots.Single();
        await ReopenAsync();
        await using var second = await OpenAuthorityAsync();
        Assert.Equal(root, Authority.Roots.Single());
        Assert.Equal(root, second.Roots.Single());
        var (certificate, _) = await second.IssueWithKeyAsync(ServerOrder("a.example"), Token);
        await WriteAsync(certificate);
        await Tool.OpenSslAsync(Folder.Path, "verify", "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem");
    }

    [Fact]
    public async Task Controllers_that_start_at_once_make_one_root()
    {
        await using var store = Candela.State.Sqlite.SqliteStateStore.Open(Folder.File("other.db"), Time);
        var controllers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => CertificateAuthority.OpenAsync(store, Secrets, Options, Time, NullLogger<CertificateAuthority>.Instance, Token)));
        Assert.All(controllers, c => Assert.Equal(controllers[0].InUse, c.InUse));
        Assert.All(controllers, c => Assert.Equal(controllers[0].Roots.Single(), c.Roots.Single()));
        foreach (var controller in controllers)
            await controller.DisposeAsync();
    }

    [Fact]
    public async Task No_private_key_is_readable_in_the_store()
    {
        var page = await Store.RangeAsync("", null, 1000, Token);
        foreach (var entry in page.Entries)
        {
            // An EC private key in PKCS #8 holds this: version 1 of ECPrivateKey and an octet string of 32 or 48 bytes.
            Assert.Equal(-1, entry.Value.Span.IndexOf("AgEBBC"u8));
            Assert.DoesNotContain("PRIVATE KEY", System.Text.Encoding.UTF8.GetString(entry.Value.Span), StringComparison.Ordinal);
        }

        Assert.Equal(4, page.Entries.Count);
    }

    [Theory]
    [InlineData(CertificateProfile.Workload)]
    [InlineData(CertificateProfile.Machine)]
    [InlineData(CertificateProfile.OcspSigner)]
    public async Task Platform_profiles_are_not_for_ordering(string profile)
    {
        var refused = await Assert.ThrowsAsync<CandelaException>(() => Authority.IssueWithKeyAsync(ServerOrder("a.example") with { Profile = profile }, Token));
        Assert.Equal(ErrorCode.PermissionDenied, refused.Code);
    }
}
