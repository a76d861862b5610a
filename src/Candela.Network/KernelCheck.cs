using Candela.Model;
using Candela.Network.Namespaces;
using Candela.Network.Netlink;
using Candela.Network.Nftables;

namespace Candela.Network;

/// <summary>Tries, in a namespace that goes at once, whether the kernel and this process's rights are enough for networks.</summary>
internal static class KernelCheck
{
    public static void Check()
    {
        NetworkNamespace space = Try("make a network namespace", "run candelad as root (CAP_SYS_ADMIN)", NetworkNamespace.CreateAnonymous);
        using (space)
        {
            using RouteSocket route = Try("talk to rtnetlink", "run candelad as root (CAP_NET_ADMIN)", () => new RouteSocket(space));
            Try("make a bridge", "load it: modprobe bridge", () => route.Execute(b => b.AddBridge("b", new MacAddress(0x02cd_0000_0001), 1500)));
            Try("make a pair of virtual links", "load it: modprobe veth", () => route.Execute(b => b.AddVeth("v0", "v1")));
            Try("make a tap", "load it: modprobe tun", () => TapDevice.Create(space, "t").Dispose());
            using NftSocket nft = new(space);
            var table = new NftTable(NftFamily.Bridge, "check");
            Try("make a table of the firewall", "load it: modprobe nf_tables", () => nft.Execute(b => b.AddTable(table)));
            if (space.GetParameter("bridge/bridge-nf-call-iptables") is null)
                throw Missing("see bridged packets in the firewall", "load it: modprobe br_netfilter", null);
            if (space.GetParameter("netfilter/nf_conntrack_tcp_loose") is null)
                throw Missing("follow connections", "load it: modprobe nf_conntrack", null);
        }
    }

    private static void Try(string what, string remedy, Action action) => Try(what, remedy, () =>
    {
        action();
        return true;
    });

    private static T Try<T>(string what, string remedy, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (IOException exception)
        {
            throw Missing(what, remedy, exception);
        }
    }

    private static CandelaException Missing(string what, string remedy, Exception? inner) => new(ErrorCode.NotSupported,
        $"this host cannot {what}{(inner is null ? "" : $" ({inner.Message})")}: {remedy}. Containers without a network (--network none) work all the same", inner);
}
