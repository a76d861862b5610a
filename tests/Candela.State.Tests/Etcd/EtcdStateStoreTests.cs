using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Tests.Shared;

namespace Candela.State.Tests.Etcd;

public sealed class EtcdStateStoreTests : StateStoreConformance
{
    private readonly EtcdServers _servers = EtcdServers.Start(1);

    protected override TimeSpan Lease => TimeSpan.FromSeconds(8);

    protected override async Task<IStateStore> OpenAsync() => await _servers.OpenAsync();

    protected override Task LetPassAsync(TimeSpan time) => Task.Delay(time, Token);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _servers.DisposeAsync();
    }

    [Fact]
    public async Task History_that_etcd_has_compacted_is_forgotten_and_said_so()
    {
        for (var i = 0; i < 40; i++)
            await PutAsync("a", $"{i}");
        using var http = new HttpClient();
        // etcd's revision is one ahead of the store's.
        var answer = await http.PostAsJsonAsync($"http://{_servers.Hosts}/v3/kv/compaction", new { revision = "31", physical = true }, Token);
        answer.EnsureSuccessStatusCode();

        await using var watch = Store.WatchAsync("", 1, Token).GetAsyncEnumerator(Token);
        var compacted = await Assert.ThrowsAsync<StateCompactedException>(async () => await watch.MoveNextAsync());

        Assert.Equal(30, compacted.Oldest);
        await using var later = Store.WatchAsync("", compacted.Oldest, Token).GetAsyncEnumerator(Token);
        Assert.True(await later.MoveNextAsync());
        Assert.Equal(compacted.Oldest, later.Current.Revision);
    }

    [Fact]
    public async Task Stores_with_other_prefixes_do_not_see_each_other()
    {
        await using var left = await _servers.OpenAsync("/left");
        await using var right = await _servers.OpenAsync("/left2");
        await left.CommitAsync(new StateTransaction().Expect("k", 0).Put("k", Bytes("left")), Token);
        await right.CommitAsync(new StateTransaction().Expect("k", 0).Put("k", Bytes("right")), Token);

        Assert.Equal("left"u8.ToArray(), (await left.GetAsync("k", Token))!.Value.ToArray());
        Assert.Equal("k", Assert.Single((await left.RangeAsync("", null, 10, Token)).Entries).Key);
        Assert.Equal(["left/k", "left2/k"], (await Store.RangeAsync("", null, 10, Token)).Entries.Select(e => e.Key));
        await using var watch = right.WatchAsync("", 1, Token).GetAsyncEnumerator(Token);
        Assert.True(await watch.MoveNextAsync());
        Assert.Equal("k", watch.Current.Key);
        Assert.Equal("right"u8.ToArray(), watch.Current.Value!.Value.ToArray());
    }

    [Fact]
    public async Task Of_several_writes_of_a_key_in_one_transaction_the_last_remains()
    {
        await Store.CommitAsync(new StateTransaction().Put("a", Bytes("1")).Delete("b").Put("a", Bytes("2")).Put("b", Bytes("3")).Delete("b"), Token);
        Assert.Equal("2", await ReadAsync("a"));
        Assert.Null(await ReadAsync("b"));
    }

    [Fact]
    public async Task A_transaction_may_be_as_large_as_the_limits_say()
    {
        var transaction = new StateTransaction();
        for (var i = 0; i < StateLimits.TransactionCount / 2; i++)
            transaction.Expect($"k{i}", 0).Put($"k{i}", Bytes("v"));
        Assert.True((await Store.CommitAsync(transaction, Token)).Succeeded);
        var value = new byte[StateLimits.ValueBytes];
        value.AsSpan().Fill(7);
        await Store.CommitAsync(new StateTransaction().Put("large", value), Token);
        Assert.Equal(value, (await Store.GetAsync("large", Token))!.Value.ToArray());
    }

    [Fact]
    public async Task A_cluster_with_too_tight_a_limit_is_refused_with_what_to_do()
    {
        await using var servers = EtcdServers.Start(1, "http", "--max-txn-ops", "128");
        var refused = await servers.RefuseAsync();
        Assert.Contains("--max-txn-ops 4096", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_nobody_answers_the_message_says_where()
    {
        await _servers.KillAsync(0);
        Assert.Contains(_servers.Hosts, (await _servers.RefuseAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Members_are_known_by_their_certificates_and_know_the_client_by_its()
    {
        using var folder = new TemporaryFolder();
        using var root = Authority("root");
        using var stranger = Authority("stranger");
        Issue(root, "member", folder);
        Issue(root, "client", folder);
        Issue(stranger, "thief", folder);
        await File.WriteAllTextAsync(folder.File("ca.pem"), root.ExportCertificatePem(), Token);
        await File.WriteAllTextAsync(folder.File("other.pem"), stranger.ExportCertificatePem(), Token);
        await using var servers = EtcdServers.Start(
            1, "https", "--max-txn-ops", "4096", "--client-cert-auth", "--trusted-ca-file", folder.File("ca.pem"),
            "--cert-file", folder.File("member.pem"), "--key-file", folder.File("member.key"));
        string Options(string ca, string name) => $"?ca={folder.File(ca)}&cert={folder.File(name + ".pem")}&key={folder.File(name + ".key")}";

        await using var store = await servers.OpenAsync(Options("ca.pem", "client"));
        Assert.True((await store.CommitAsync(new StateTransaction().Put("a", Bytes("1")), Token)).Succeeded);

        await servers.RefuseAsync(Options("other.pem", "client"));
        await servers.RefuseAsync(Options("ca.pem", "thief"));
        await servers.RefuseAsync($"?ca={folder.File("ca.pem")}");
    }

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
    }

    private static void Issue(X509Certificate2 authority, string name, TemporaryFolder folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, DateTimeOffset.UtcNow.AddMinutes(-30), DateTimeOffset.UtcNow.AddMinutes(30), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(folder.File(name + ".pem"), certificate.ExportCertificatePem());
        File.WriteAllText(folder.File(name + ".key"), key.ExportPkcs8PrivateKeyPem());
    }
}
