using Candela.Network.Namespaces;

namespace Candela.Network.Host;

/// <summary>
/// The host's IPv4 forwarding, the one parameter of the host that Candela sets. What it was is written to a file first, and set again
/// on removal. IPv6 forwarding is left as it is: to switch it on would make the host ignore its routers' advertisements.
/// </summary>
internal sealed class ForwardingSwitch(NetworkNamespace host, string stateFolder)
{
    private const string Parameter = "ipv4/ip_forward", FileName = "forwarding-was-off";
    private readonly string _file = Path.Combine(stateFolder, FileName);

    /// <summary>An earlier daemon has switched it on.</summary>
    public static bool HasRecord(string stateFolder) => File.Exists(Path.Combine(stateFolder, FileName));

    /// <summary>Forwarding was off before Candela.</summary>
    public bool WasOff => File.Exists(_file);

    public void On()
    {
        if (host.GetParameter(Parameter) == "1")
            return;
        string draft = _file + ".new";
        File.WriteAllText(draft, "net.ipv4.ip_forward was 0\n");
        File.Move(draft, _file, overwrite: true);
        host.SetParameter(Parameter, "1");
    }

    public void Restore()
    {
        if (!WasOff)
            return;
        host.SetParameter(Parameter, "0");
        File.Delete(_file);
    }
}
