namespace Candela.Acceptance.Harness;

/// <summary>An instance whose daemon is in a network namespace of its own, as a host of its own would be.</summary>
public class NamespacedPlatform : Platform
{
    private readonly string _name = $"ca-{Path.GetRandomFileName()[..8]}";

    /// <summary>Makes the namespace.</summary>
    public NamespacedPlatform()
        : base("--waiting", "2", "--scratch-size", "1")
    {
        Ip("netns", "add", _name);
        Ip("-n", _name, "link", "set", "lo", "up");
    }

    /// <summary>What runs a program inside the namespace.</summary>
    protected override IReadOnlyList<string> DaemonPrefix => ["nsenter", $"--net=/run/netns/{_name}"];

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Ip("netns", "del", _name);
        GC.SuppressFinalize(this);
    }

    private static void Ip(params string[] arguments)
    {
        using var command = new RunningCommand("ip", arguments, new Dictionary<string, string>());
        _ = Task.Run(() => command.FinishAsync()).GetAwaiter().GetResult().Text;
    }
}
