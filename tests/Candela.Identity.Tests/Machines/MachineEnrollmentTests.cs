using System.Net;
using System.Security.Cryptography;
using Candela.Identity.Accounts;
using Candela.Identity.Machines;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Tests.Machines;

public sealed class MachineEnrollmentTests : IAsyncLifetime
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private MachineBench _bench = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private MachineEnrollment Machines => _bench.Host.Machines;

    public async ValueTask InitializeAsync() => _bench = await MachineBench.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _bench.DisposeAsync();
        _key.Dispose();
    }

    [Fact]
    public async Task A_machine_joins_by_a_token_and_says_who_it_is_by_its_certificate()
    {
        var certificate = await Machines.JoinAsync(await _bench.TokenAsync(), "Host1.example", MachineBench.Request(_key), IPAddress.Parse("::ffff:192.0.2.7"), Token);
        Assert.Equal(["host1.example", "192.0.2.7", "spiffe://example.org/machine/host1.example"], certificate.Names);
        var machine = await Machines.VerifyAsync(certificate.Der, Token);
        Assert.Equal("host1.example", machine.Name);
        Assert.Equal(machine.Entry, _bench.Account("host1.example")!.Id);
    }

    [Fact]
    public async Task A_token_is_good_once_for_one_key_and_for_a_while()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var token = await _bench.TokenAsync();
        var certificate = await Machines.JoinAsync(token, "host1", MachineBench.Request(_key), null, Token);
        // The same machine once more, since the answer did not reach it; and whoever else has seen the token.
        Assert.Equal(certificate.Serial, (await Machines.JoinAsync(token, "host1", MachineBench.Request(_key), null, Token)).Serial);
        await RefusedAsync(ErrorCode.Unauthenticated, token, "host2");
        await Assert.ThrowsAsync<CandelaException>(() => Machines.JoinAsync(token, "host1", MachineBench.Request(other), null, Token));
        await Assert.ThrowsAsync<CandelaException>(() => Machines.WithdrawTokenAsync(token.Split('.')[1], Token));

        var late = await _bench.TokenAsync();
        _bench.Clock.Advance(TimeSpan.FromHours(2));
        await RefusedAsync(ErrorCode.Unauthenticated, late, "host2");

        var good = await _bench.TokenAsync();
        var parts = good.Split('.');
        await RefusedAsync(ErrorCode.Unauthenticated, $"{parts[0]}.{parts[1]}.{new string('A', 43)}.{parts[3]}", "host2");
        await RefusedAsync(ErrorCode.Unauthenticated, $"{parts[0]}.{new string('A', 22)}.{parts[2]}.{parts[3]}", "host2");
        await RefusedAsync(ErrorCode.Unauthenticated, "junk", "host2");
        await RefusedAsync(ErrorCode.Unauthenticated, new string('a', 100_000), "host2");
        await Machines.WithdrawTokenAsync(parts[1], Token);
        await RefusedAsync(ErrorCode.Unauthenticated, good, "host2");
    }

    [Fact]
    public async Task The_secret_of_a_token_is_not_in_the_store()
    {
        var token = JoinToken.Parse(await _bench.TokenAsync());
        Assert.DoesNotContain(token.ToText().Split('.')[2], token.ToString(), StringComparison.Ordinal);
        var page = await _bench.Identity.Store.RangeAsync("/identity/machines/", null, 10, Token);
        foreach (var entry in page.Entries)
        {
            Assert.Equal(-1, entry.Value.Span.IndexOf(System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(token.Secret.Span))));
            Assert.DoesNotContain(token.ToText().Split('.')[2], System.Text.Encoding.UTF8.GetString(entry.Value.Span), StringComparison.Ordinal);
        }

        Assert.Equal(SHA256.HashData(_bench.Host.Authority.Roots[0].Span), token.RootSha256.ToArray());
    }

    [Fact]
    public async Task Of_many_that_use_one_token_at_once_one_joins()
    {
        var token = await _bench.TokenAsync();
        var attempts = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            try
            {
                await Machines.JoinAsync(token, $"host{i}", MachineBench.Request(key), null, Token);
                return 1;
            }
            catch (CandelaException e) when (e.Code == ErrorCode.Unauthenticated)
            {
                return 0;
            }
        }));
        Assert.Equal(1, attempts.Sum());
        Assert.Single(_bench.Identity.Directory.Current.List(_bench.Identity.SystemId, EntryKind.Machine, null, 10));
    }

    [Fact]
    public async Task A_name_is_taken_over_only_with_a_token_for_it()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await _bench.Identity.AddUserAsync("ada");
        var first = await Machines.JoinAsync(await _bench.TokenAsync(), "host1", MachineBench.Request(_key), null, Token);
        await RefusedAsync(ErrorCode.AlreadyExists, await _bench.TokenAsync(), "host1");
        await RefusedAsync(ErrorCode.AlreadyExists, await _bench.TokenAsync(), "ada");
        await RefusedAsync(ErrorCode.AlreadyExists, await _bench.TokenAsync("ada"), "ada");
        await RefusedAsync(ErrorCode.InvalidArgument, await _bench.TokenAsync("host1"), "host2");
        await RefusedAsync(ErrorCode.InvalidArgument, await _bench.TokenAsync(), "host_1");
        await RefusedAsync(ErrorCode.InvalidArgument, await _bench.TokenAsync(), "bank.example\0");

        var second = await Machines.JoinAsync(await _bench.TokenAsync("host1"), "host1", MachineBench.Request(other), null, Token);
        await Assert.ThrowsAsync<CandelaException>(() => Machines.VerifyAsync(first.Der, Token));
        Assert.Equal("host1", (await Machines.VerifyAsync(second.Der, Token)).Name);
    }

    [Fact]
    public async Task A_machine_renews_with_what_it_has_until_it_is_disabled_or_removed()
    {
        using var fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var first = await Machines.JoinAsync(await _bench.TokenAsync(), "host1", MachineBench.Request(_key), null, Token);
        _bench.Clock.Advance(TimeSpan.FromHours(12));
        var second = await Machines.RenewAsync(first.Der, MachineBench.Request(fresh), IPAddress.Parse("192.0.2.7"), Token);
        Assert.Equal("host1", (await Machines.VerifyAsync(first.Der, Token)).Name);
        Assert.Contains("192.0.2.7", second.Names);
        _bench.Clock.Advance(TimeSpan.FromHours(13));
        await Assert.ThrowsAsync<CandelaException>(() => Machines.RenewAsync(first.Der, MachineBench.Request(fresh), null, Token));

        var account = _bench.Account("host1")!;
        account = await _bench.Identity.Directory.UpdateAsync(account with { Enabled = false }, Token);
        await Assert.ThrowsAsync<CandelaException>(() => Machines.VerifyAsync(second.Der, Token));
        await _bench.Identity.Directory.UpdateAsync(account with { Enabled = true }, Token);
        Assert.Equal("host1", (await Machines.VerifyAsync(second.Der, Token)).Name);

        await Machines.RemoveAsync("host1", Token);
        Assert.Null(_bench.Account("host1"));
        await Assert.ThrowsAsync<CandelaException>(() => Machines.VerifyAsync(second.Der, Token));
        Assert.True(_bench.Host.Authority.Revoked.Contains(second.Authority, second.Serial));
        await Machines.JoinAsync(await _bench.TokenAsync(), "host1", MachineBench.Request(_key), null, Token);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_join_that_is_cut_off_can_be_repeated(bool afterCommit)
    {
        for (var commits = 0; ; commits++)
        {
            await using var identity = await IdentityFixture.StartAsync();
            await using var faulty = new FaultyStateStore(identity.Store);
            await using var bench = await MachineBench.StartAsync(faulty, identity);
            var token = await bench.TokenAsync();
            faulty.FailAfter(commits, afterCommit);
            var whole = true;
            try
            {
                await bench.Host.Machines.JoinAsync(token, "host1", MachineBench.Request(_key), null, Token);
            }
            catch (StateStoreException)
            {
                whole = false;
            }

            faulty.Mend();
            if (whole)
            {
                Assert.InRange(commits, 3, 10);
                return;
            }

            var certificate = await bench.Host.Machines.JoinAsync(token, "host1", MachineBench.Request(_key), null, Token);
            Assert.Equal("host1", (await bench.Host.Machines.VerifyAsync(certificate.Der, Token)).Name);
            Assert.NotNull(bench.Account("host1"));
        }
    }

    private async Task RefusedAsync(ErrorCode code, string token, string name) =>
        Assert.Equal(code, (await Assert.ThrowsAsync<CandelaException>(() => Machines.JoinAsync(token, name, MachineBench.Request(_key), null, Token))).Code);
}
