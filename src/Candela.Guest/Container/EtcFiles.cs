using System.Text;
using Candela.Guest.Native;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Container;

/// <summary>Files that are the container's own and not the image's: on a tmpfs, mounted over those in /etc.</summary>
internal static class EtcFiles
{
    private const string LocalHosts =
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\n"
        + "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";

    /// <summary>Makes the tmpfs.</summary>
    /// <exception cref="AgentFailure">The mount failed.</exception>
    public static void Prepare() =>
        Mounts.Mount("tmpfs", GuestPaths.Files, "tmpfs", Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC, "mode=755,size=4m");

    /// <summary>Writes and mounts them.</summary>
    /// <exception cref="AgentFailure">A file could not be written or mounted.</exception>
    public static void Install(int root, GuestConfiguration configuration)
    {
        WriteNames(configuration.Identity, former: null);
        SmallFile.Write(GuestPaths.Files + "/resolv.conf", configuration.Identity.Network.ResolvConf);
        MountOver(root, "hosts");
        MountOver(root, "hostname");
        MountOver(root, "resolv.conf");
        var machineId = RootedPath.Open(root, "/etc/machine-id", Linux.O_PATH);
        if (machineId >= 0)
        {
            _ = Libc.close(machineId);
            MountOver(root, "machine-id");
        }
    }

    /// <summary>Writes what follows from another identity; who has the files mounted sees it at once.</summary>
    /// <exception cref="AgentFailure">A file could not be written.</exception>
    public static void Rewrite(GuestIdentity former, GuestIdentity identity)
    {
        // The container may have changed them, which holds until there is something to say.
        WriteNames(identity, former);
        if (identity.Network.ResolvConf != former.Network.ResolvConf)
            SmallFile.Write(GuestPaths.Files + "/resolv.conf", identity.Network.ResolvConf);
    }

    private static void WriteNames(GuestIdentity identity, GuestIdentity? former)
    {
        var hosts = Hosts(identity);
        if (former is null || hosts != Hosts(former))
            SmallFile.Write(GuestPaths.Files + "/hosts", hosts);
        SmallFile.Write(GuestPaths.Files + "/hostname", identity.Hostname + "\n");
        SmallFile.Write(GuestPaths.Files + "/machine-id", identity.MachineId + "\n");
    }

    private static string Hosts(GuestIdentity identity)
    {
        var hosts = new StringBuilder(LocalHosts);
        var names = identity.Domainname.Length > 0 ? $"{identity.Hostname}.{identity.Domainname} {identity.Hostname}" : identity.Hostname;
        var cards = identity.Network.Interfaces;
        for (var i = 0; i < cards.Count && names.Length > 0; i++)
        {
            if (cards[i].Ipv4 is [var a, var b, var c, var d])
                hosts.Append($"{a}.{b}.{c}.{d}\t{names}\n");
        }
        // Debian's convention for hosts without an address of their own.
        if (cards.Count == 0 && names.Length > 0)
            hosts.Append("127.0.1.1\t").Append(names).Append('\n');
        for (var i = 0; i < identity.Network.HostsLines.Count; i++)
            hosts.Append(identity.Network.HostsLines[i]).Append('\n');
        return hosts.ToString();
    }

    private static void MountOver(int root, string name)
    {
        var target = RootedPath.OpenOrMake(root, "/etc/" + name, isFolder: false);
        try
        {
            Mounts.Bind($"{GuestPaths.Files}/{name}", RootedPath.OfDescriptor(target));
        }
        finally
        {
            _ = Libc.close(target);
        }
    }
}
