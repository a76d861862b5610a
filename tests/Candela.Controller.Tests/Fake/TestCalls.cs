using Candela.Model;

namespace Candela.Controller.Tests.Fake;

/// <summary>Short forms of the contract for tests.</summary>
internal static class TestCalls
{
    /// <summary>How long a test waits for what must come.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static Caller Alice { get; } = new(1000, "alice", "default");

    public static ContainerSpec Spec { get; } = new() { Image = "base" };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static Task<Container> CreateAsync(this TestDaemon daemon, ContainerSpec? spec = null, string? name = null) =>
        daemon.Containers.CreateAsync(Alice, name, spec ?? Spec, Token);

    public static async Task<Container> RunAsync(this TestDaemon daemon, ContainerSpec? spec = null, string? name = null)
    {
        var container = await daemon.CreateAsync(spec, name);
        await daemon.StartContainerAsync(container.Id);
        return container;
    }

    public static Task StartContainerAsync(this TestDaemon daemon, string reference) => daemon.Containers.StartAsync(Alice, reference, Token).WaitAsync(Patience, Token);

    public static Task StopAsync(this TestDaemon daemon, string reference, int? timeout = null, string? signal = null) =>
        daemon.Containers.StopAsync(Alice, reference, timeout, signal, Token).WaitAsync(Patience, Token);

    public static Task KillAsync(this TestDaemon daemon, string reference, string? signal = null) =>
        daemon.Containers.KillAsync(Alice, reference, signal, Token).WaitAsync(Patience, Token);

    public static Task RemoveAsync(this TestDaemon daemon, string reference, bool force = false) =>
        daemon.Containers.RemoveAsync(Alice, reference, force, withVolumes: false, Token).WaitAsync(Patience, Token);

    public static Task<Container> GetAsync(this TestDaemon daemon, string reference) => daemon.Containers.GetAsync(Alice, reference, Token);

    public static Task<IReadOnlyList<Container>> ListAsync(this TestDaemon daemon) => daemon.Containers.ListAsync(Alice, Token);

    public static async Task<Task<WaitResult>> WaitAsync(this TestDaemon daemon, string reference, WaitCondition condition) =>
        (await daemon.Containers.WaitAsync(Alice, reference, condition, Token)).WaitAsync(Patience, Token);

    public static async Task<ContainerStatus> StatusAsync(this TestDaemon daemon, string reference) => (await daemon.GetAsync(reference)).Status;

    public static EventReader ReadEvents(this TestDaemon daemon, DateTimeOffset? since = null) => new(daemon.Containers, since);

    public static async Task<CandelaException> FailsAsync(ErrorCode code, Func<Task> call)
    {
        var failure = await Assert.ThrowsAnyAsync<CandelaException>(call);
        Assert.Equal(code, failure.Code);
        return failure;
    }
}
