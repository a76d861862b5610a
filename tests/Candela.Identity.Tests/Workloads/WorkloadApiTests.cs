using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Candela.Identity.Tests.Workloads;

/// <summary>The Workload API as gRPC's own client sees it.</summary>
public sealed class WorkloadApiTests : WorkloadApiBench
{
    [Fact]
    public async Task A_container_fetches_its_x509_svid()
    {
        var svid = await Workloads.BeginAsync(Spec("c1"), Token);
        var message = Read(await CallAsync("c1", "FetchX509SVID")).GetProperty("svids")[0];
        Assert.Equal("spiffe://example.org/acme/shop/web", message.GetProperty("spiffe_id").GetString());
        Assert.Equal(svid.Chain.SelectMany(c => c.ToArray()), message.GetProperty("x509_svid").GetBytesFromBase64());
        Assert.Equal(Authority.Roots.Single().ToArray(), message.GetProperty("bundle").GetBytesFromBase64());
        using var leaf = X509CertificateLoader.LoadCertificate(message.GetProperty("x509_svid").GetBytesFromBase64().AsSpan(0, svid.Chain[0].Length));
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(message.GetProperty("x509_svid_key").GetBytesFromBase64(), out _);
        Assert.Equal(leaf.PublicKey.ExportSubjectPublicKeyInfo(), key.ExportSubjectPublicKeyInfo());
    }

    [Fact]
    public async Task Each_container_gets_its_own_whatever_it_asks_for()
    {
        await Workloads.BeginAsync(Spec("c1", "web"), Token);
        await Workloads.BeginAsync(Spec("c2", "db"), Token);
        Assert.EndsWith("/web", Read(await CallAsync("c1", "FetchX509SVID")).GetProperty("svids")[0].GetProperty("spiffe_id").GetString(), StringComparison.Ordinal);
        Assert.EndsWith("/db", Read(await CallAsync("c2", "FetchX509SVID")).GetProperty("svids")[0].GetProperty("spiffe_id").GetString(), StringComparison.Ordinal);

        // A guest asks for another's identity.
        var refused = Read(await CallAsync("c2", "FetchJWTSVID", """{"audience":["x"],"spiffe_id":"spiffe://example.org/acme/shop/web"}"""));
        Assert.Equal("PERMISSION_DENIED", refused.GetProperty("status").GetString());
        var kept = Assert.Single(Audit.Records);
        Assert.Equal(("container:c2", "workload.FetchJWTSVID"), (kept.Actor.Name, kept.Action));
    }

    [Fact]
    public async Task A_call_without_the_security_header_is_refused()
    {
        await Workloads.BeginAsync(Spec("c1"), Token);
        foreach (var method in new[] { "FetchX509SVID", "FetchX509Bundles", "FetchJWTSVID", "FetchJWTBundles", "ValidateJWTSVID" })
            Assert.Equal("INVALID_ARGUMENT", Read(await CallAsync("c1", method, header: "")).GetProperty("status").GetString());
        Assert.Equal("INVALID_ARGUMENT", Read(await CallAsync("c1", "FetchX509SVID", header: "false")).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_container_without_identity_gets_nothing()
    {
        await Workloads.BeginAsync(Spec("c1"), Token);
        await Workloads.EndAsync("c1", Token);
        foreach (var container in new[] { "c1", "c9" })
            Assert.Equal("PERMISSION_DENIED", Read(await CallAsync(container, "FetchX509SVID")).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_stream_brings_what_changes_and_ends_with_the_container()
    {
        await Workloads.BeginAsync(Spec("c1"), Token);
        using var client = StartCall("c1", "FetchX509SVID", count: 9);
        Assert.Equal(Authority.Roots.Single().ToArray(), Bundle(await client.ReadLineAsync()));

        // A new root is to be trusted from now on: all workloads hear of it.
        await Authority.CreateRootAsync(Token);
        Assert.Equal(2, Authority.Roots.Count);
        Assert.Equal(Authority.Roots.SelectMany(r => r.ToArray()), Bundle(await client.ReadLineAsync()));

        await Workloads.EndAsync("c1", Token);
        Assert.Equal("PERMISSION_DENIED", Read([await client.ReadLineAsync()]).GetProperty("status").GetString());
        Assert.Empty(Audit.Records);

        static byte[] Bundle(string line) => Read([line]).GetProperty("svids")[0].GetProperty("bundle").GetBytesFromBase64();
    }

    [Fact]
    public async Task Jwt_svids_are_fetched_and_validated()
    {
        await Workloads.BeginAsync(Spec("c1", "web"), Token);
        await Workloads.BeginAsync(Spec("c2", "db"), Token);
        var token = Read(await CallAsync("c1", "FetchJWTSVID", """{"audience":["db","other"]}""")).GetProperty("svids")[0].GetProperty("svid").GetString();
        var valid = Read(await CallAsync("c2", "ValidateJWTSVID", $$"""{"audience":"db","svid":"{{token}}"}"""));
        Assert.Equal("spiffe://example.org/acme/shop/web", valid.GetProperty("spiffe_id").GetString());
        Assert.Equal("spiffe://example.org/acme/shop/web", valid.GetProperty("claims").GetProperty("sub").GetString());
        Assert.Equal("INVALID_ARGUMENT", Read(await CallAsync("c2", "ValidateJWTSVID", $$"""{"audience":"bank","svid":"{{token}}"}""")).GetProperty("status").GetString());
        Assert.Equal("INVALID_ARGUMENT", Read(await CallAsync("c2", "ValidateJWTSVID", $$"""{"svid":"{{token}}"}""")).GetProperty("status").GetString());
        Assert.Equal("INVALID_ARGUMENT", Read(await CallAsync("c1", "FetchJWTSVID")).GetProperty("status").GetString());

        await Workloads.EndAsync("c1", Token);
        Assert.Equal("INVALID_ARGUMENT", Read(await CallAsync("c2", "ValidateJWTSVID", $$"""{"audience":"db","svid":"{{token}}"}""")).GetProperty("status").GetString());
    }

    [Fact]
    public async Task Bundles_of_jwt_svids_are_key_sets()
    {
        await Workloads.BeginAsync(Spec("c1"), Token);
        var set = Read(await CallAsync("c1", "FetchJWTBundles")).GetProperty("bundles").GetProperty("spiffe://example.org").GetBytesFromBase64();
        using var keys = JsonDocument.Parse(set);
        var key = keys.RootElement.GetProperty("keys").EnumerateArray().Single();
        Assert.Equal(("EC", "P-256", "jwt-svid"), (key.GetProperty("kty").GetString(), key.GetProperty("crv").GetString(), key.GetProperty("use").GetString()));
        Assert.False(key.TryGetProperty("d", out _));
    }

    private static JsonElement Read(string[] lines)
    {
        using var document = JsonDocument.Parse(lines[0]);
        return document.RootElement.Clone();
    }
}
