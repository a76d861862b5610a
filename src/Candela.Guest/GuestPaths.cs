namespace Candela.Guest;

/// <summary>Where things are in the agent's own root, a tmpfs that the container never sees.</summary>
internal static class GuestPaths
{
    /// <summary>The container's root as the agent sees it: the overlay and what is mounted in it, but no /proc.</summary>
    public const string Root = "/root";

    /// <summary>The image, read only: the overlay's lower layer.</summary>
    public const string Image = "/image";

    /// <summary>Disk or tmpfs with the overlay's writable layer.</summary>
    public const string Scratch = "/scratch";

    /// <summary>Files that are mounted over the container's: hosts, hostname, resolv.conf, machine-id.</summary>
    public const string Files = "/files";

    /// <summary>Identity files of the container, where it asked for them.</summary>
    public const string IdentityFiles = Files + "/identity";

    /// <summary>Below it, a folder for each volume's disk.</summary>
    public const string Volumes = "/volumes";

    /// <summary>The container's /dev until it is moved into the root.</summary>
    public const string Devices = "/devices";

    /// <summary>Folder of the workload socket below <see cref="Devices"/>: /dev/candela for the container.</summary>
    public const string Workload = Devices + "/candela";

    /// <summary>The container's /sys until it is moved into the root.</summary>
    public const string Kernel = "/kernel";

    /// <summary>The root cgroup.</summary>
    public const string Cgroups = "/cgroup";

    /// <summary>The container's cgroup: its limits and figures.</summary>
    public const string ContainerCgroup = "/cgroup/container";
}
