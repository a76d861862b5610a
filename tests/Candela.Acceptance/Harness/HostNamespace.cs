using System.Globalization;

namespace Candela.Acceptance.Harness;

/// <summary>
/// A network namespace that stands for a host, with another behind a cable that stands for the rest of the world. They end with the
/// processes that hold them; the real host has nothing of them.
/// </summary>
public sealed class HostNamespace : IDisposable
{
    /// <summary>Address of the host on the cable.</summary>
    public const string HostAddress = "198.51.100.1";

    /// <summary>Address of the world.</summary>
    public const string WorldAddress = "198.51.100.2";

    private readonly RunningCommand _host = Hold(), _world = Hold();

    private HostNamespace()
    {
    }

    /// <summary>Begins a command line that runs in the host's namespace.</summary>
    public string[] Enter => ["nsenter", $"--net=/proc/{Number(_host.Pid)}/ns/net", "--"];

    /// <summary>Begins a command line that runs out in the world.</summary>
    public string[] EnterWorld => ["nsenter", $"--net=/proc/{Number(_world.Pid)}/ns/net", "--"];

    /// <summary>Makes it.</summary>
    public static async Task<HostNamespace> CreateAsync()
    {
        var made = new HostNamespace();
        var own = await RunAsync(["readlink", "/proc/self/ns/net"]);
        foreach (var (enter, pid) in new[] { (made.Enter, made._host.Pid), (made.EnterWorld, made._world.Pid) })
            await Deadlines.UntilAsync("a network namespace", async () => (await RunAsync(["readlink", $"/proc/{Number(pid)}/ns/net"])) != own);
        await RunAsync(["ip", "link", "add", "eth0", "netns", Number(made._host.Pid), "type", "veth", "peer", "name", "eth0", "netns", Number(made._world.Pid)]);
        foreach (var (enter, address) in new[] { (made.Enter, HostAddress), (made.EnterWorld, WorldAddress) })
        {
            await RunAsync([.. enter, "ip", "link", "set", "lo", "up"]);
            await RunAsync([.. enter, "ip", "link", "set", "eth0", "up"]);
            await RunAsync([.. enter, "ip", "address", "add", address + "/24", "dev", "eth0"]);
        }

        await RunAsync([.. made.Enter, "ip", "route", "add", "default", "via", WorldAddress]);
        return made;
    }

    /// <summary>Runs a command in the host's namespace to its end.</summary>
    /// <returns>Its standard output.</returns>
    public Task<string> HostAsync(params string[] command) => RunAsync([.. Enter, .. command]);

    /// <summary>Runs a command out in the world to its end.</summary>
    /// <returns>Its standard output.</returns>
    public Task<string> WorldAsync(params string[] command) => RunAsync([.. EnterWorld, .. command]);

    /// <summary>What a networked platform might leave: links, addresses, rules, forwarding.</summary>
    public async Task<string> ShowAsync() => string.Join('\n',
        await HostAsync("ip", "-o", "-br", "address"), await HostAsync("ip", "route"), await HostAsync("nft", "list", "tables"), await HostAsync("sysctl", "net.ipv4.ip_forward"));

    /// <summary>Ends both.</summary>
    public void Dispose()
    {
        _host.Dispose();
        _world.Dispose();
    }

    private static RunningCommand Hold() => new("unshare", ["--net", "--", "sleep", "infinity"], new Dictionary<string, string>());

    private static async Task<string> RunAsync(string[] command)
    {
        using var running = new RunningCommand(command[0], command[1..], new Dictionary<string, string>());
        return (await running.FinishAsync()).Text;
    }

    private static string Number(int pid) => pid.ToString(CultureInfo.InvariantCulture);
}
