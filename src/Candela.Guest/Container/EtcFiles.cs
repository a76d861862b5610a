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
        WriteNames(configuration.Identity, configuration.HostsLines);
        SmallFile.Write(GuestPaths.Files + "/resolv.conf", configuration.ResolvConf);
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

    /// <summary>Writes what follows from the identity; who has the files mounted sees it at once.</summary>
    /// <exception cref="AgentFailure">A file could not be written.</exception>
    public static void WriteNames(GuestIdentity identity, IReadOnlyList<string> hostsLines)
    {
        var hosts = new StringBuilder(LocalHosts);
        var names = identity.Domainname.Length > 0 ? $"{identity.Hostname}.{identity.Domainname} {identity.Hostname}" : identity.Hostname;
        if (names.Length > 0)
            hosts.Append(OwnAddress(identity)).Append('\t').Append(names).Append('\n');
        for (var i = 0; i < hostsLines.Count; i++)
            hosts.Append(hostsLines[i]).Append('\n');
        SmallFile.Write(GuestPaths.Files + "/hosts", hosts.ToString());
        SmallFile.Write(GuestPaths.Files + "/hostname", identity.Hostname + "\n");
        SmallFile.Write(GuestPaths.Files + "/machine-id", identity.MachineId + "\n");
    }

    // Debian's convention for hosts without an address of their own.
    private static string OwnAddress(GuestIdentity identity)
    {
        for (var i = 0; i < identity.Interfaces.Count; i++)
        {
            if (identity.Interfaces[i].Ipv4 is [var a, var b, var c, var d])
                return $"{a}.{b}.{c}.{d}";
        }
        return "127.0.1.1";
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
