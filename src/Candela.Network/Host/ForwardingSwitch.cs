using Candela.Network.Namespaces;
using Candela.Network.Netlink;

namespace Candela.Network.Host;

/// <summary>
/// The host's IPv4 forwarding, the one parameter of the host that Candela sets. What it was is written to a file first, and set again
/// on removal; of several instances on a host the last to leave does that, so the aliases of their links tell one another what it was. IPv6
/// forwarding is left as it is: to switch it on would make the host ignore its routers' advertisements.
/// </summary>
internal sealed class ForwardingSwitch(NetworkNamespace host, string stateFolder)
{
    private const string Parameter = "ipv4/ip_forward", FileName = "forwarding-was-off", Note = ", forwarding was off";
    private readonly string _file = Path.Combine(stateFolder, FileName);

    /// <summary>An earlier daemon has switched it on.</summary>
    public static bool HasRecord(string stateFolder) => File.Exists(Path.Combine(stateFolder, FileName));

    /// <summary>Forwarding was off before Candela.</summary>
    public bool WasOff => File.Exists(_file);

    /// <summary>The alias of a link, from what it is.</summary>
    public string Describe(string link) => WasOff ? link + Note : link;

    /// <param name="others">Links of other instances.</param>
    public void On(IEnumerable<LinkState> others)
    {
        if (host.GetParameter(Parameter) == "1" && !others.Any(static l => l.Alias?.EndsWith(Note, StringComparison.Ordinal) == true))
            return;
        string draft = _file + ".new";
        File.WriteAllText(draft, "net.ipv4.ip_forward was 0\n");
        File.Move(draft, _file, overwrite: true);
        host.SetParameter(Parameter, "1");
    }

    /// <param name="others">Links of other instances.</param>
    public void Restore(IEnumerable<LinkState> others)
    {
        if (!WasOff)
            return;
        if (!others.Any())
            host.SetParameter(Parameter, "0");
        File.Delete(_file);
    }
}
