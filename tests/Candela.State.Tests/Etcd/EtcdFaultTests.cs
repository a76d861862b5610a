using Candela.Tests.Shared;

namespace Candela.State.Tests.Etcd;

public sealed class EtcdFaultTests
{
    private const int ClientCount = 8;
    private const int WriteCount = 60;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Counters that each client raises by compare-and-swap show both a lost write and one that was done twice.</summary>
    [Fact]
    public async Task Killed_members_cost_no_write_and_do_none_twice()
    {
        await using var servers = EtcdServers.Start(3);
        await using var store = await servers.OpenAsync();
        var started = new TaskCompletionSource();
        var seen = new List<long>();
        var watching = Task.Run(
            async () =>
            {
                await foreach (var change in store.WatchAsync("counter/", 1, Token))
                {
                    seen.Add(change.Revision);
                    if (seen.Count == ClientCount * WriteCount)
                        break;
                }
            },
            Token);
        var clients = Enumerable.Range(0, ClientCount).Select(client => Task.Run(
            async () =>
            {
                var key = $"counter/{client}";
                long revision = 0;
                for (byte i = 1; i <= WriteCount; i++)
                {
                    var result = await store.CommitAsync(new StateTransaction().Expect(key, revision).Put(key, new[] { i }), Token);
                    Assert.True(result.Succeeded, $"{key} at {i}: {result.FailedKey}");
                    Assert.True(result.Revision > revision);
                    revision = result.Revision;
                    if (i == 5)
                        started.TrySetResult();
                }
            },
            Token)).ToList();

        await started.Task.WaitAsync(Token);
        for (var member = 0; member < 3; member++)
        {
            var before = store.Revision;
            await servers.KillAsync(member);
            // Until the others have gone on, or all is done.
            while (store.Revision < before + 20 && !clients.All(c => c.IsCompleted))
                await Task.WhenAny(Task.WhenAll(clients), Task.Delay(20, Token));
            servers.StartMember(member);
            await CatchUpAsync(servers, member);
        }

        await Task.WhenAll(clients);
        await watching;
        Assert.Equal(seen.Order(), seen);
        for (var client = 0; client < ClientCount; client++)
            Assert.Equal([WriteCount], (await store.GetAsync($"counter/{client}", Token))!.Value.ToArray());
    }

    /// <summary>A member that was started again must be of use before the next one is killed.</summary>
    private static async Task CatchUpAsync(EtcdServers servers, int member)
    {
        using var http = new HttpClient();
        while (true)
        {
            try
            {
                var health = await http.GetStringAsync($"http://{servers.Hosts.Split(',')[member]}/health", Token);
                if (health.Contains("\"true\"", StringComparison.Ordinal))
                    return;
            }
            catch (HttpRequestException)
            {
                // Not there yet.
            }

            await Task.Delay(50, Token);
        }
    }
}
