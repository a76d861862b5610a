using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Certificates;
using Candela.Identity.Tests.Tools;
using Candela.Identity.Workloads;
using Candela.Model;
using Candela.Tests.Shared;

namespace Candela.Identity.Tests.Workloads;

public sealed class WorkloadIdentitiesTests : WorkloadBench
{
    [Fact]
    public async Task A_container_gets_an_svid_that_openssl_verifies_for_both_sides()
    {
        var svid = await Workloads.BeginAsync(Spec("c1"), Token);
        Assert.Equal("spiffe://example.org/acme/shop/web", svid.Id.ToString());
        await WriteAsync(svid);
        foreach (var purpose in new[] { "sslserver", "sslclient" })
            await Tool.OpenSslAsync(Folder.Path, "verify", "-x509_strict", "-purpose", purpose, "-verify_hostname", "web.shop.acme.internal", "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem");
        using var certificate = X509CertificateLoader.LoadCertificate(svid.Chain[0].Span);
        Assert.Equal("O=Candela", certificate.Subject);
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(svid.PrivateKey.Span, out _);
        Assert.Equal(certificate.PublicKey.ExportSubjectPublicKeyInfo(), key.ExportSubjectPublicKeyInfo());
        Assert.Equal(svid.Id, await Workloads.VerifyAsync(svid.Chain[0], Token));
    }

    [Fact]
    public async Task A_name_that_hosts_cannot_have_does_not_keep_a_container_from_its_identity()
    {
        var svid = await Workloads.BeginAsync(Spec("c1", "my_db.1"), Token);
        Assert.Equal("/acme/shop/my_db.1", svid.Id.Path);
        await WriteAsync(svid);
        Assert.DoesNotContain("my_db.shop", await Tool.OpenSslAsync(Folder.Path, "x509", "-in", "leaf.pem", "-noout", "-ext", "subjectAltName"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fork_has_its_own_and_no_two_live_containers_share_one()
    {
        var parent = await Workloads.BeginAsync(Spec("c1", "web"), Token);
        var fork = await Workloads.BeginAsync(Spec("c2", "web-fork"), Token);
        Assert.NotEqual(parent.Id, fork.Id);
        Assert.NotEqual(parent.Serial, fork.Serial);
        var taken = await Assert.ThrowsAsync<CandelaException>(() => Workloads.BeginAsync(Spec("c3", "web"), Token));
        Assert.Equal(ErrorCode.AlreadyExists, taken.Code);
        await Assert.ThrowsAsync<CandelaException>(() => Workloads.BeginAsync(Spec("c1", "other"), Token));
    }

    [Fact]
    public async Task A_stolen_svid_is_refused_after_its_container_ended_also_when_a_namesake_lives()
    {
        var stolen = await Workloads.BeginAsync(Spec("c1"), Token);
        await Workloads.EndAsync("c1", Token);
        var next = await Workloads.BeginAsync(Spec("c2"), Token);

        Assert.Equal(stolen.Id, next.Id);
        Assert.Equal(next.Id, await Workloads.VerifyAsync(next.Chain[0], Token));
        var refused = await Assert.ThrowsAsync<CandelaException>(() => Workloads.VerifyAsync(stolen.Chain[0], Token));
        Assert.Equal(ErrorCode.Unauthenticated, refused.Code);
        Assert.True(Authority.Revoked.Contains(Authority.InUse.Workload, stolen.Serial));
        Assert.Equal(ErrorCode.NotFound, (await Assert.ThrowsAsync<CandelaException>(() => Workloads.GetAsync("c1", Token))).Code);

        // openssl, by the list.
        await WriteAsync(stolen);
        foreach (var (name, id) in new[] { ("issuing", Authority.InUse.Workload), ("root", Authority.InUse.Root) })
        {
            var list = await Authority.GetCrlAsync(id, Token);
            await File.WriteAllTextAsync(Folder.File($"{name}.crl"), PemEncoding.WriteString("X509 CRL", list.Der.Span), Token);
        }

        var (exitCode, output) = await Tool.TryRunAsync("openssl", Folder.Path, "verify", "-crl_check_all", "-CRLfile", "issuing.crl", "-CRLfile", "root.crl", "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem");
        Assert.True(exitCode != 0 && output.Contains("certificate revoked", StringComparison.Ordinal), output);
    }

    [Fact]
    public async Task A_certificate_of_another_profile_is_no_workloads()
    {
        var (server, _) = await Authority.IssueWithKeyAsync(ServerOrder("web"), Token);
        Assert.Equal(ErrorCode.Unauthenticated, (await Assert.ThrowsAsync<CandelaException>(() => Workloads.VerifyAsync(server.Der, Token))).Code);
    }

    [Fact]
    public async Task A_renamed_container_is_somebody_else()
    {
        var before = await Workloads.BeginAsync(Spec("c1"), Token);
        await Workloads.BeginAsync(Spec("c2", "db"), Token);
        await Assert.ThrowsAsync<CandelaException>(() => Workloads.RenameAsync(Spec("c1", "db"), Token));
        Assert.Equal(before.Serial, (await Workloads.RenameAsync(Spec("c1"), Token)).Serial);
        var after = await Workloads.RenameAsync(Spec("c1", "front"), Token);
        Assert.Equal("/acme/shop/front", after.Id.Path);
        await Assert.ThrowsAsync<CandelaException>(() => Workloads.VerifyAsync(before.Chain[0], Token));
    }

    [Fact]
    public async Task After_a_restart_the_living_are_taken_on_and_the_dead_are_ended()
    {
        var lives = await Workloads.BeginAsync(Spec("c1"), Token);
        var dies = await Workloads.BeginAsync(Spec("c2", "db"), Token);
        await ReopenWorkloadsAsync();
        await Workloads.ReconcileAsync(new HashSet<string> { "c1" }, Token);
        Assert.True(await Workloads.AttachAsync("c1", Token));
        Assert.False(await Workloads.AttachAsync("c2", Token));

        Assert.Equal(lives.Id, await Workloads.VerifyAsync(lives.Chain[0], Token));
        await Assert.ThrowsAsync<CandelaException>(() => Workloads.VerifyAsync(dies.Chain[0], Token));
        var fresh = await Workloads.GetAsync("c1", Token);
        Assert.NotEqual(lives.Serial, fresh.Serial);
        await Workloads.EndAsync("c1", Token);
        await Assert.ThrowsAsync<CandelaException>(() => Workloads.VerifyAsync(lives.Chain[0], Token));
        await Assert.ThrowsAsync<CandelaException>(() => Workloads.VerifyAsync(fresh.Chain[0], Token));
    }

    [Fact]
    public async Task Issuing_an_svid_costs_little()
    {
        for (var i = 0; i < 50; i++)
            await Workloads.BeginAsync(Spec($"w{i}", $"w{i}"), Token);
        var times = new List<double>();
        for (var i = 0; i < 300; i++)
        {
            var start = Stopwatch.GetTimestamp();
            await Workloads.BeginAsync(Spec($"c{i}", $"n{i}"), Token);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        times.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine($"median {times[150]:f2} ms, 95 % {times[285]:f2} ms, most {times[^1]:f2} ms");
        // The bar is 3 ms on a quiet machine; a busy one is no failure.
        Assert.InRange(times[150], 0, 15);
    }

    [Fact]
    public async Task Many_begin_and_end_at_once()
    {
        await Parallel.ForAsync(0, 100, Token, async (i, token) =>
        {
            var svid = await Workloads.BeginAsync(Spec($"c{i}", $"n{i}"), token);
            if (i % 2 == 0)
                await Workloads.EndAsync($"c{i}", token);
            Assert.Equal(i % 2 == 0, Authority.Revoked.Contains(Authority.InUse.Workload, svid.Serial));
        });
    }

    private async Task WriteAsync(X509Svid svid)
    {
        await WriteRootAsync();
        await File.WriteAllTextAsync(Folder.File("chain.pem"), string.Concat(svid.Chain.Skip(1).Select(c => IssuedCertificate.PemEncodingOf(c) + "\n")), Token);
        await File.WriteAllTextAsync(Folder.File("leaf.pem"), IssuedCertificate.PemEncodingOf(svid.Chain[0]), Token);
    }
}

/// <summary>Rotation, on a clock of the test's.</summary>
public sealed class WorkloadRotationTests() : WorkloadBench(new ManualTimeProvider())
{
    private ManualTimeProvider Clock => (ManualTimeProvider)Time;

    [Fact]
    public async Task An_svid_is_renewed_at_half_its_time_and_the_former_one_is_revoked_too_at_the_end()
    {
        var first = await Workloads.BeginAsync(Spec("c1"), Token);
        Clock.Advance(TimeSpan.FromMinutes(25));
        Assert.Equal(first.Serial, (await Workloads.GetAsync("c1", Token)).Serial);
        var changed = Workloads.FindHeld("c1")!.Changed;
        Clock.Advance(TimeSpan.FromMinutes(6));
        await changed.WaitAsync(TimeSpan.FromSeconds(30), Token);
        var second = await Workloads.GetAsync("c1", Token);
        Assert.NotEqual(first.Serial, second.Serial);
        Assert.Equal(first.Id, await Workloads.VerifyAsync(first.Chain[0], Token));

        await Workloads.EndAsync("c1", Token);
        Assert.True(Authority.Revoked.Contains(Authority.InUse.Workload, first.Serial));
        Assert.True(Authority.Revoked.Contains(Authority.InUse.Workload, second.Serial));
    }

    [Fact]
    public async Task A_workload_ended_by_another_controller_gets_no_new_svid()
    {
        await Workloads.BeginAsync(Spec("c1"), Token);
        await using var other = OpenWorkloads();
        await other.EndAsync("c1", Token);
        Clock.Advance(TimeSpan.FromMinutes(31));
        await Assert.ThrowsAsync<CandelaException>(() => Workloads.GetAsync("c1", Token));
        Assert.Null(Workloads.FindHeld("c1"));
    }
}

/// <summary>Two containers talk by their SVIDs, with openssl at both ends.</summary>
public sealed class MutualTlsTests : WorkloadBench
{
    [Fact]
    public async Task Peers_know_each_other_by_their_svids_and_a_third_one_is_refused()
    {
        var server = await Workloads.BeginAsync(Spec("c1", "web"), Token);
        var client = await Workloads.BeginAsync(Spec("c2", "shop"), Token);
        await WriteAsync("server", server);
        await WriteAsync("client", client);
        await WriteListsAsync();
        var (exitCode, output) = await ConnectAsync("-cert", "client.pem", "-key", "client.key", "-cert_chain", "client.chain");
        Assert.True(exitCode == 0 && output.Contains("Verify return code: 0 (ok)", StringComparison.Ordinal), output);

        // One that has no certificate, and one that made its own of the same names.
        Assert.NotEqual(0, (await ConnectAsync()).ExitCode);
        await Tool.OpenSslAsync(
            Folder.Path, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "own.key", "-out", "own.pem", "-days", "1", "-subj", "/O=Candela", "-addext", $"subjectAltName=URI:{client.Id}");
        Assert.NotEqual(0, (await ConnectAsync("-cert", "own.pem", "-key", "own.key")).ExitCode);

        // The container has ended; somebody has kept its key.
        await Workloads.EndAsync("c2", Token);
        // A list is made at most once a second.
        while (!CertificateRevocationListBuilder.Load((await Authority.GetCrlAsync(Authority.InUse.Workload, Token)).Der.Span, out _, out _).RemoveEntry(SerialNumber.Signed(client.Serial)))
            await Task.Delay(TimeSpan.FromMilliseconds(50), Token);
        await WriteListsAsync();
        Assert.NotEqual(0, (await ConnectAsync("-cert", "client.pem", "-key", "client.key", "-cert_chain", "client.chain")).ExitCode);
    }

    private async Task<(int ExitCode, string Output)> ConnectAsync(params string[] arguments)
    {
        using var server = new LineClient("openssl", Folder.Path,
        [
            "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-tls1_2", "-cert", "server.pem", "-key", "server.key", "-cert_chain", "server.chain",
            "-CAfile", "trust.pem", "-crl_check_all", "-Verify", "2", "-verify_return_error", "-rev",
        ]);
        string line;
        do
            line = await server.ReadLineAsync();
        while (!line.StartsWith("ACCEPT", StringComparison.Ordinal));
        return await Tool.TryRunAsync(
            "openssl", Folder.Path, ["s_client", "-connect", line["ACCEPT ".Length..], "-tls1_2", "-CAfile", "root.pem", "-verify_return_error", "-verify_hostname", "web.shop.acme.internal", .. arguments]);
    }

    private async Task WriteAsync(string name, X509Svid svid)
    {
        await WriteRootAsync();
        await File.WriteAllTextAsync(Folder.File($"{name}.pem"), IssuedCertificate.PemEncodingOf(svid.Chain[0]), Token);
        await File.WriteAllTextAsync(Folder.File($"{name}.chain"), IssuedCertificate.PemEncodingOf(svid.Chain[1]), Token);
        await File.WriteAllTextAsync(Folder.File($"{name}.key"), PemEncoding.WriteString("PRIVATE KEY", svid.PrivateKey.Span), Token);
    }

    private async Task WriteListsAsync()
    {
        // openssl takes lists from the file of the roots, too.
        var lists = new System.Text.StringBuilder(await File.ReadAllTextAsync(Folder.File("root.pem"), Token));
        foreach (var id in new[] { Authority.InUse.Workload, Authority.InUse.Root })
        {
            var list = await Authority.GetCrlAsync(id, Token);
            lists.Append(PemEncoding.WriteString("X509 CRL", list.Der.Span)).Append('\n');
        }

        await File.WriteAllTextAsync(Folder.File("trust.pem"), lists.ToString(), Token);
    }
}
