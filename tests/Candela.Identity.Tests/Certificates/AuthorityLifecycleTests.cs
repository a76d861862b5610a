using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Certificates.Revocation;
using Candela.Identity.Tests.Tools;
using Candela.Model;
using Candela.Tests.Shared;

namespace Candela.Identity.Tests.Certificates;

/// <summary>Offline roots with openssl as the offline machine.</summary>
public sealed class AuthorityLifecycleTests : CertificateBench
{
    private const string Passphrase = "correct horse battery";

    [Fact]
    public async Task An_offline_root_signs_with_openssl_what_the_platform_asks_for()
    {
        await File.WriteAllTextAsync(Folder.File("root.key"), Authority.ExportRootKey(Passphrase), Token);
        await Authority.RemoveRootKeyAsync(Token);
        await ReopenAsync();

        var offline = await Assert.ThrowsAsync<CandelaException>(() => Authority.RenewIssuingAsync(AuthorityPurpose.General, Token));
        Assert.Equal(ErrorCode.Conflict, offline.Code);
        Assert.Throws<CandelaException>(() => Authority.ExportRootKey(Passphrase));
        foreach (var purpose in Enum.GetValues<AuthorityPurpose>())
        {
            var (id, request) = await Authority.RequestIssuingAsync(purpose, Token);
            await Authority.InstallIssuingAsync(id, await SignAsync(request, "-copy_extensions", "copyall"), Token);
        }

        var (certificate, _) = await Authority.IssueWithKeyAsync(ServerOrder("a.example"), Token);
        await WriteAsync(certificate);
        await Tool.OpenSslAsync(Folder.Path, "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem");
        // The root's list from before it went is still given out.
        Assert.NotEqual(0, (await Authority.GetCrlAsync(Authority.InUse.Root, Token)).Der.Length);
    }

    [Fact]
    public async Task An_authority_signed_without_its_limits_is_refused()
    {
        await File.WriteAllTextAsync(Folder.File("root.key"), Authority.ExportRootKey(Passphrase), Token);
        var (id, request) = await Authority.RequestIssuingAsync(AuthorityPurpose.Workload, Token);
        var naked = await Assert.ThrowsAsync<CandelaException>(async () => await Authority.InstallIssuingAsync(id, await SignAsync(request), Token));
        Assert.Contains("-copy_extensions copyall", naked.Message, StringComparison.Ordinal);

        // Another one's request, rightly signed.
        var (other, otherRequest) = await Authority.RequestIssuingAsync(AuthorityPurpose.Workload, Token);
        var pem = await SignAsync(otherRequest, "-copy_extensions", "copyall");
        await Assert.ThrowsAsync<CandelaException>(() => Authority.InstallIssuingAsync(id, pem, Token));
        await Authority.InstallIssuingAsync(other, pem, Token);

        // A root of someone else's.
        await Tool.OpenSslAsync(Folder.Path, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=other", "-days", "1");
        await File.WriteAllTextAsync(Folder.File("request.pem"), request, Token);
        await Tool.OpenSslAsync(Folder.Path, "x509", "-req", "-in", "request.pem", "-CA", "root.pem", "-CAkey", "root.key", "-days", "9", "-copy_extensions", "copyall", "-out", "signed.pem");
        var foreign = await Assert.ThrowsAsync<CandelaException>(async () => await Authority.InstallIssuingAsync(id, await File.ReadAllTextAsync(Folder.File("signed.pem"), Token), Token));
        Assert.Contains("none of the roots", foreign.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<CandelaException>(() => Authority.InstallIssuingAsync(id, "junk", Token));
    }

    [Fact]
    public async Task A_roots_key_comes_back_only_with_its_passphrase()
    {
        var pem = Authority.ExportRootKey(Passphrase);
        Assert.Contains("ENCRYPTED PRIVATE KEY", pem, StringComparison.Ordinal);
        Assert.Throws<CandelaException>(() => Authority.ExportRootKey("short"));
        await Authority.RemoveRootKeyAsync(Token);
        await Assert.ThrowsAsync<CandelaException>(() => Authority.RestoreRootKeyAsync(pem, "wrong horse battery", Token));
        await Assert.ThrowsAsync<CandelaException>(() => Authority.RestoreRootKeyAsync("junk", Passphrase, Token));
        await Authority.RestoreRootKeyAsync(pem, Passphrase, Token);
        await Authority.RenewIssuingAsync(AuthorityPurpose.General, Token);
    }

    [Fact]
    public async Task A_new_root_is_trusted_beside_the_old_one_until_that_is_withdrawn()
    {
        var old = Authority.InUse.Root;
        var (before, _) = await Authority.IssueWithKeyAsync(ServerOrder("a.example"), Token);
        await Authority.CreateRootAsync(Token);
        Assert.Equal(2, Authority.Roots.Count);
        await Assert.ThrowsAsync<CandelaException>(() => Authority.WithdrawRootAsync(old, Token));
        await Authority.RenewIssuingAsync(AuthorityPurpose.General, Token);
        await Authority.RenewIssuingAsync(AuthorityPurpose.Workload, Token);
        var (after, _) = await Authority.IssueWithKeyAsync(ServerOrder("a.example"), Token);
        foreach (var certificate in new[] { before, after })
        {
            await WriteAsync(certificate);
            await Tool.OpenSslAsync(Folder.Path, "verify", "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem");
        }

        await Authority.WithdrawRootAsync(old, Token);
        Assert.Single(Authority.Roots);
        await WriteAsync(before);
        Assert.NotEqual(0, (await Tool.TryRunAsync("openssl", Folder.Path, "verify", "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem")).ExitCode);
    }

    [Fact]
    public async Task The_workload_authority_cannot_vouch_for_another_trust_domain()
    {
        // As if its key were stolen: openssl signs an identity of another domain with it.
        var workload = Authority.Authorities.Find(Authority.InUse.Workload)!;
        await File.WriteAllTextAsync(Folder.File("chain.pem"), IssuedCertificate.PemEncodingOf(workload.Der), Token);
        await File.WriteAllTextAsync(Folder.File("stolen.key"), workload.Key!.ExportPem(Passphrase), Token);
        await WriteRootAsync();
        foreach (var (id, taken) in new[] { ("spiffe://example.org/a/b/c", true), ("spiffe://bank.example/a/b/c", false) })
        {
            await Tool.OpenSslAsync(Folder.Path, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/O=x", "-addext", $"subjectAltName=URI:{id}");
            await Tool.OpenSslAsync(Folder.Path, "x509", "-req", "-in", "leaf.csr", "-CA", "chain.pem", "-CAkey", "stolen.key", "-passin", $"pass:{Passphrase}", "-copy_extensions", "copyall", "-out", "leaf.pem", "-days", "1");
            var (exitCode, output) = await Tool.TryRunAsync("openssl", Folder.Path, "verify", "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem");
            Assert.True(exitCode == 0 == taken, output);
        }

        // And no authority below it.
        await Tool.OpenSslAsync(Folder.Path, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.csr", "-subj", "/O=intruder", "-addext", "basicConstraints=critical,CA:TRUE");
        await Tool.OpenSslAsync(Folder.Path, "x509", "-req", "-in", "ca.csr", "-CA", "chain.pem", "-CAkey", "stolen.key", "-passin", $"pass:{Passphrase}", "-copy_extensions", "copyall", "-out", "ca.pem", "-days", "1");
        await Tool.OpenSslAsync(Folder.Path, "x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-out", "leaf.pem", "-days", "1");
        await File.AppendAllTextAsync(Folder.File("chain.pem"), "\n" + await File.ReadAllTextAsync(Folder.File("ca.pem"), Token), Token);
        var (refused, text) = await Tool.TryRunAsync("openssl", Folder.Path, "verify", "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem");
        Assert.True(refused != 0 && text.Contains("path length constraint exceeded", StringComparison.Ordinal), text);
    }

    private async Task<string> SignAsync(string request, params string[] more)
    {
        await WriteRootAsync();
        await File.WriteAllTextAsync(Folder.File("request.pem"), request, Token);
        await Tool.OpenSslAsync(
            Folder.Path, ["x509", "-req", "-in", "request.pem", "-CA", "root.pem", "-CAkey", "root.key", "-passin", $"pass:{Passphrase}", "-days", "300", "-out", "signed.pem", .. more]);
        return await File.ReadAllTextAsync(Folder.File("signed.pem"), Token);
    }
}

/// <summary>Renewal in time, on a clock of the test's.</summary>
public sealed class AuthorityUpkeepTests() : CertificateBench(new ManualTimeProvider())
{
    private ManualTimeProvider Clock => (ManualTimeProvider)Time;

    [Fact]
    public async Task Issuing_authorities_are_renewed_at_half_their_time_and_the_old_ones_still_revoke()
    {
        var old = Authority.InUse;
        Clock.Advance(TimeSpan.FromDays(180));
        var (certificate, _) = await Authority.IssueWithKeyAsync(ServerOrder("a.example") with { Lifetime = TimeSpan.FromDays(90) }, Token);
        await Authority.MaintainAsync(Token);
        Assert.Equal(old, Authority.InUse);
        Clock.Advance(TimeSpan.FromDays(4));
        await Authority.MaintainAsync(Token);
        Assert.NotEqual(old.General, Authority.InUse.General);
        Assert.NotEqual(old.Workload, Authority.InUse.Workload);
        Assert.Equal(old.Root, Authority.InUse.Root);
        Assert.Equal(RevocationReason.Superseded, (await Authority.RevokeAsync(certificate.Serial, RevocationReason.Superseded, Token)).Reason);
        Assert.True((await Authority.GetCrlAsync(old.General, Token)).NextUpdate > Time.GetUtcNow());
    }

    [Fact]
    public async Task No_certificate_outlives_its_authority()
    {
        await Authority.RemoveRootKeyAsync(Token);
        Clock.Advance(TimeSpan.FromDays(340));
        var (certificate, _) = await Authority.IssueWithKeyAsync(ServerOrder("a.example") with { Lifetime = TimeSpan.FromDays(90) }, Token);
        Assert.Equal(Authority.Authorities.Find(certificate.Authority)!.NotAfter, certificate.NotAfter);
        Clock.Advance(TimeSpan.FromDays(26));
        var expired = await Assert.ThrowsAsync<CandelaException>(() => Authority.IssueWithKeyAsync(ServerOrder("a.example"), Token));
        Assert.Equal(ErrorCode.Unavailable, expired.Code);
    }

    [Fact]
    public async Task A_certificate_is_good_within_its_time_only()
    {
        var (certificate, _) = await Authority.IssueWithKeyAsync(ServerOrder("a.example") with { Lifetime = TimeSpan.FromDays(1) }, Token);
        Assert.Equal(certificate.Serial, (await Authority.VerifyAsync(certificate.Der, CertificateProfile.Server, Token)).Serial);
        Assert.Equal(ErrorCode.Unauthenticated, (await Assert.ThrowsAsync<CandelaException>(() => Authority.VerifyAsync(certificate.Der, CertificateProfile.Machine, Token))).Code);
        Assert.Equal(ErrorCode.Unauthenticated, (await Assert.ThrowsAsync<CandelaException>(() => Authority.VerifyAsync("junk"u8.ToArray(), CertificateProfile.Server, Token))).Code);
        Clock.Advance(TimeSpan.FromDays(2));
        Assert.Equal(ErrorCode.Unauthenticated, (await Assert.ThrowsAsync<CandelaException>(() => Authority.VerifyAsync(certificate.Der, CertificateProfile.Server, Token))).Code);
    }
}
