namespace Candela.Acceptance;

/// <summary>An instance whose host is a network namespace of the test: containers are connected to the default network.</summary>
public sealed class NetworkPlatform() : Platform("--scratch-size", "1", "--waiting", "2")
{
    /// <summary>The host and the world.</summary>
    public HostNamespace Network { get; private set; } = null!;

    protected override IReadOnlyList<string> DaemonPrefix => Network.Enter;

    protected override string? DefaultNetwork => null;

    /// <summary>Makes the host, if that has not been done.</summary>
    public async Task CreateHostAsync() => Network ??= await HostNamespace.CreateAsync();

    public override async ValueTask InitializeAsync()
    {
        await CreateHostAsync();
        await base.InitializeAsync();
        await PerlImage.ImportAsync(this);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Network.Dispose();
    }

    /// <summary><c>docker run -d</c> on a network; gives the id.</summary>
    public async Task<string> RunAsync(string[] options, params string[] command) => (await DockerAsync(["run", "-d", .. options, Image, .. command])).Text;

    /// <summary>A container that does nothing, which others try to reach.</summary>
    public Task<string> IdleAsync(params string[] options) => RunAsync(options, "sleep", "100000");

    /// <summary>Runs a shell script in a container.</summary>
    public Task<CommandResult> ExecAsync(string container, string script) => DockerAsync("exec", container, "sh", "-c", script);

    /// <summary>One container can ping another by name or address, within three attempts: a busy host may lose one.</summary>
    public async Task<bool> ReachesAsync(string from, string to) => (await ExecAsync(from, $"for i in 1 2 3; do ping -c 1 -W 3 {to} && exit 0; done; exit 1")).ExitCode == 0;

    /// <summary>A name is known in a container.</summary>
    public async Task<bool> ResolvesAsync(string from, string name) => (await ExecAsync(from, $"nslookup {name}")).ExitCode == 0;
}
