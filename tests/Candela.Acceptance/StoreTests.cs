namespace Candela.Acceptance;

/// <summary>Records on a real etcd cluster.</summary>
public sealed class StoreTests : IAsyncLifetime
{
    private readonly EtcdServers _servers = EtcdServers.Start(3);

    private string Store => "etcd://" + _servers.Hosts + "/candela";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _servers.DisposeAsync();

    [Fact]
    public async Task Containers_outlive_an_etcd_member_and_the_daemon_and_their_records_move_to_sqlite()
    {
        await using var platform = new StorePlatform(Store);
        await platform.InitializeAsync();
        Assert.False(File.Exists(platform.StateFolder + "/state.db"));
        var first = await platform.StartContainerAsync(["--name", "first"], "sleep", "10000");

        await _servers.KillAsync(0);
        var second = await platform.StartContainerAsync(["--name", "second"], "sleep", "10000");
        await platform.RestartDaemonAsync();
        Assert.Equal("hello", (await platform.DockerAsync("exec", "first", "echo", "hello")).Text);
        Assert.Equal([second, first], (await platform.DockerAsync("ps", "-q", "--no-trunc")).Lines);

        // Whoever uses the records has them alone.
        var busy = await platform.CandelaAsync("store", "backup", "--store", Store, platform.StateFolder + "/backup.db");
        Assert.NotEqual(0, busy.ExitCode);
        Assert.Contains("candela down", busy.Error, StringComparison.Ordinal);
        await platform.StopDaemonAsync();
        Assert.Contains("documents copied", (await platform.CandelaAsync("store", "migrate", "--store", Store, platform.StateFolder + "/state.db")).Text, StringComparison.Ordinal);

        platform.Store = null;
        await platform.StartDaemonAsync();
        Assert.Equal([second, first], (await platform.DockerAsync("ps", "-q", "--no-trunc")).Lines);
        Assert.Equal("hello", (await platform.DockerAsync("exec", "second", "echo", "hello")).Text);
        await platform.EndAsync();
    }

    private sealed class StorePlatform(string? store) : Platform("--scratch-size", "1", "--waiting", "1")
    {
        /// <summary>Of the next daemon; null: SQLite.</summary>
        public string? Store { get; set; } = store;

        protected override IReadOnlyList<string> MoreDaemonOptions => Store is null ? [] : ["--store", Store];
    }
}
