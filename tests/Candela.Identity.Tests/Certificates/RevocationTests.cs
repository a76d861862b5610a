using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Http;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Certificates.Revocation;
using Candela.Identity.Tests.Tools;
using Candela.Model;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Identity.Tests.Certificates;

/// <summary>Lists and OCSP as openssl sees them, over HTTP.</summary>
public sealed class RevocationTests : CertificateBench
{
    private WebBench _web = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _web = await WebBench.StartAsync(
            services => services.AddSingleton(Time).AddSingleton(Authority), application => application.MapCertificateAuthority());
    }

    public override async ValueTask DisposeAsync()
    {
        await _web.DisposeAsync();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task Openssl_refuses_a_revoked_certificate_by_its_list_and_takes_the_others()
    {
        var (good, _) = await Authority.IssueWithKeyAsync(ServerOrder("good.example"), Token);
        var (bad, _) = await Authority.IssueWithKeyAsync(ServerOrder("bad.example"), Token);
        await Authority.RevokeAsync(bad.Serial, RevocationReason.KeyCompromise, Token);

        Assert.Contains("OK", (await VerifyByListsAsync(good)).Output, StringComparison.Ordinal);
        var (exitCode, output) = await VerifyByListsAsync(bad);
        Assert.True(exitCode != 0 && output.Contains("certificate revoked", StringComparison.Ordinal), output);
        var text = await Tool.OpenSslAsync(Folder.Path, "crl", "-in", "issuing.crl", "-inform", "der", "-noout", "-text", "-CAfile", "chain.pem");
        Assert.Contains("verify OK", text, StringComparison.Ordinal);
        Assert.Contains("Key Compromise", text, StringComparison.Ordinal);
        Assert.Contains("X509v3 CRL Number", text, StringComparison.Ordinal);
        Assert.Contains(bad.Serial, text, StringComparison.Ordinal);
        Assert.DoesNotContain(good.Serial, text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Openssl_learns_by_ocsp_what_is_good_revoked_and_unknown(bool withSha256)
    {
        var (good, _) = await Authority.IssueWithKeyAsync(ServerOrder("good.example"), Token);
        var (bad, _) = await Authority.IssueWithKeyAsync(ServerOrder("bad.example"), Token);
        await Authority.RevokeAsync(bad.Serial, RevocationReason.Superseded, Token);
        await WriteAsync(good);
        string[] hash = withSha256 ? ["-sha256"] : [];

        string[] certificates = ["-serial", $"0x{good.Serial}", "-serial", $"0x{bad.Serial}", "-serial", "0x1234"];
        var output = await Tool.OpenSslAsync(
            Folder.Path, ["ocsp", .. hash, "-issuer", "chain.pem", .. certificates, "-url", $"{_web.Address}ocsp", "-CAfile", "root.pem", "-text"]);

        Assert.Contains("Response verify OK", output, StringComparison.Ordinal);
        Assert.DoesNotContain("WARNING", output, StringComparison.Ordinal); // that is: the nonce came back
        Assert.Contains($"0x{good.Serial}: good", output, StringComparison.Ordinal);
        Assert.Contains($"0x{bad.Serial}: revoked", output, StringComparison.Ordinal);
        Assert.Contains("Reason: superseded", output, StringComparison.Ordinal);
        Assert.Contains("0x1234: unknown", output, StringComparison.Ordinal);
        Assert.Contains("OCSP No Check", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ocsp_answers_by_get_what_it_answers_by_post()
    {
        var (good, _) = await Authority.IssueWithKeyAsync(ServerOrder("good.example"), Token);
        await WriteAsync(good);
        await Tool.OpenSslAsync(Folder.Path, "ocsp", "-issuer", "chain.pem", "-cert", "leaf.pem", "-no_nonce", "-reqout", "request.der");
        var request = await File.ReadAllBytesAsync(Folder.File("request.der"), Token);
        using var client = new HttpClient { BaseAddress = _web.Address };
        foreach (var path in new[] { Uri.EscapeDataString(Convert.ToBase64String(request)), Convert.ToBase64String(request) })
        {
            using var answer = await client.GetAsync($"ocsp/{path}", Token);
            Assert.Equal("application/ocsp-response", answer.Content.Headers.ContentType!.MediaType);
            await File.WriteAllBytesAsync(Folder.File("answer.der"), await answer.Content.ReadAsByteArrayAsync(Token), Token);
            var output = await Tool.OpenSslAsync(
                Folder.Path, "ocsp", "-respin", "answer.der", "-issuer", "chain.pem", "-cert", "leaf.pem", "-CAfile", "root.pem", "-no_nonce");
            Assert.Contains("leaf.pem: good", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_certificate_of_another_authority_is_none_of_our_business()
    {
        await Tool.OpenSslAsync(Folder.Path, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "other.key", "-out", "other.pem", "-subj", "/CN=other", "-days", "1");
        await WriteRootAsync();
        var (_, output) = await Tool.TryRunAsync(
            "openssl", Folder.Path, "ocsp", "-issuer", "other.pem", "-cert", "other.pem", "-url", $"{_web.Address}ocsp", "-CAfile", "root.pem");
        Assert.Contains("unauthorized (6)", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_revoked_issuing_authority_takes_all_that_it_issued_with_it()
    {
        var (certificate, _) = await Authority.IssueWithKeyAsync(ServerOrder("a.example"), Token);
        var old = Authority.InUse.General;
        await Assert.ThrowsAsync<CandelaException>(() => Authority.RevokeIssuingAsync(old, RevocationReason.CaCompromise, Token));
        await Authority.RenewIssuingAsync(AuthorityPurpose.General, Token);
        await Authority.RevokeIssuingAsync(old, RevocationReason.CaCompromise, Token);

        var refused = await Assert.ThrowsAsync<CandelaException>(() => Authority.VerifyAsync(certificate.Der, CertificateProfile.Server, Token));
        Assert.Equal(ErrorCode.Unauthenticated, refused.Code);
        await WriteAsync(certificate);
        var root = await Authority.GetCrlAsync(Authority.InUse.Root, Token);
        await File.WriteAllBytesAsync(Folder.File("root.crl"), root.Der.ToArray(), Token);
        Assert.Contains("CA Compromise", await Tool.OpenSslAsync(Folder.Path, "crl", "-in", "root.crl", "-inform", "der", "-noout", "-text", "-CAfile", "root.pem"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Revocations_and_list_numbers_survive_a_restart_and_reach_another_controller()
    {
        await using var second = await OpenAuthorityAsync();
        var (certificate, _) = await Authority.IssueWithKeyAsync(ServerOrder("a.example"), Token);
        var before = await Authority.GetCrlAsync(certificate.Authority, Token);
        Assert.Equal(before.Der, (await second.GetCrlAsync(certificate.Authority, Token)).Der);

        var changed = second.Revoked.Changed;
        await Authority.RevokeAsync(certificate.Serial, RevocationReason.Unspecified, Token);
        await changed.WaitAsync(TimeSpan.FromSeconds(5), Token);
        Assert.True(second.Revoked.Contains(certificate.Authority, certificate.Serial));
        await Assert.ThrowsAsync<CandelaException>(() => second.VerifyAsync(certificate.Der, CertificateProfile.Server, Token));

        await ReopenAsync();
        Assert.True(Authority.Revoked.Contains(certificate.Authority, certificate.Serial));
    }

    [Theory]
    [InlineData("crl/none.crl", 404)]
    [InlineData("crl/..%2f..%2fsecrets.key", 404)]
    [InlineData("certificates/none.cer", 404)]
    [InlineData("certificates/roots.pem", 200)]
    public async Task Unknown_files_are_not_found(string path, int status)
    {
        using var client = new HttpClient { BaseAddress = _web.Address };
        using var answer = await client.GetAsync(path, Token);
        Assert.Equal(status, (int)answer.StatusCode);
    }

    private async Task<(int ExitCode, string Output)> VerifyByListsAsync(IssuedCertificate certificate)
    {
        await WriteAsync(certificate);
        using var client = new HttpClient { BaseAddress = _web.Address };
        foreach (var (name, id) in new[] { ("issuing", certificate.Authority), ("root", Authority.InUse.Root) })
        {
            await File.WriteAllBytesAsync(Folder.File($"{name}.crl"), await client.GetByteArrayAsync($"crl/{id}.crl", Token), Token);
            await Tool.OpenSslAsync(Folder.Path, "crl", "-in", $"{name}.crl", "-inform", "der", "-out", $"{name}.crl.pem");
        }

        return await Tool.TryRunAsync(
            "openssl", Folder.Path, "verify", "-x509_strict", "-crl_check_all", "-CRLfile", "issuing.crl.pem", "-CRLfile", "root.crl.pem", "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem");
    }
}
