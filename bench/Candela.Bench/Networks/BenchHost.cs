namespace Candela.Bench.Networks;

/// <summary>A network namespace for a daemon, as a host of its own, and another that is the outside, on one wire. Deleted when disposed.</summary>
internal sealed class BenchHost : IDisposable
{
    /// <summary>The outside's address.</summary>
    public const string Outside = "192.0.2.2";

    private readonly string _name = $"cb-{Path.GetRandomFileName()[..8]}";

    public BenchHost()
    {
        Ip("netns", "add", _name);
        Ip("netns", "add", OutsideName);
        Ip("-n", _name, "link", "set", "lo", "up");
        Ip("-n", _name, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", OutsideName);
        foreach ((string name, string address) in new[] { (_name, "192.0.2.1/24"), (OutsideName, Outside + "/24") })
        {
            Ip("-n", name, "addr", "add", address, "dev", "eth0");
            Ip("-n", name, "link", "set", "eth0", "up");
        }

        Engine.Execute("nsenter", [.. Enter, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
    }

    /// <summary>Arguments of nsenter(1) for a program on the host.</summary>
    public string[] Enter => [$"--net=/run/netns/{_name}"];

    /// <summary>Arguments of nsenter(1) for a program outside.</summary>
    public string[] EnterOutside => [$"--net=/run/netns/{OutsideName}"];

    private string OutsideName => _name + "-out";

    public void Dispose()
    {
        Ip("netns", "del", _name);
        Ip("netns", "del", OutsideName);
    }

    private static void Ip(params string[] arguments) => Engine.Execute("ip", arguments);
}
