using System.Security.Cryptography;
using System.Text;

namespace Candela.Network.Plan;

/// <summary>Names of links in a project's namespace: a letter for the kind, then 48 bits of a hash of the id.</summary>
internal static class LinkNames
{
    /// <summary>Beginning of the names of containers' ports.</summary>
    public const string PortPrefix = "p-";

    /// <summary>The project's way out: its end of a veth whose other is the host's.</summary>
    public const string Uplink = "up0";

    public static string Port(string portId) => PortPrefix + Hash(portId);

    public static string Bridge(string segmentId) => "b-" + Hash(segmentId);

    public static string Tunnel(string segmentId) => "x-" + Hash(segmentId);

    /// <summary>File name of a project's namespace.</summary>
    public static string Project(string projectId) => Hash(projectId);

    /// <summary>A MAC of the locally administered range that is the same on every machine.</summary>
    public static MacAddress GatewayMac(string segmentId)
    {
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes("gateway " + segmentId));
        return MacAddress.Read([0x02, 0xce, hash[0], hash[1], hash[2], hash[3]]);
    }

    private static string Hash(string id) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)).AsSpan(0, 6));
}
