namespace Candela.Model;

/// <summary>Limits of user-given values, checked at the boundary where they enter.</summary>
public static class Limits
{
    /// <summary>Longest container name, characters.</summary>
    public const int NameLength = 128;

    /// <summary>Longest host name, characters (RFC 1123 label).</summary>
    public const int HostnameLength = 63;

    /// <summary>Most labels of one resource.</summary>
    public const int LabelCount = 256;

    /// <summary>Most networks in a container's specification; a driver may have fewer network cards.</summary>
    public const int ContainerNetworkCount = 16;

    /// <summary>Most published ports of one container.</summary>
    public const int PublishedPortCount = 4096;

    /// <summary>Most arguments of one process.</summary>
    public const int ArgumentCount = 4096;

    /// <summary>Most environment variables of one process.</summary>
    public const int EnvironmentCount = 4096;

    /// <summary>Largest sum of arguments and environment, bytes (Linux allows 2 MiB; the agent's frames set this).</summary>
    public const int ArgumentAndEnvironmentBytes = 1024 * 1024;

    /// <summary>Smallest memory limit, bytes (Docker's).</summary>
    public const long MemoryBytesMinimum = 6 * 1024 * 1024;

    /// <summary>Most volumes of one container: its micro-VM has so many disks for them.</summary>
    public const int VolumeCount = 8;

    /// <summary>Most vCPUs of a micro-VM.</summary>
    public const int VCpuCount = 32;

    /// <summary>Most files of a container's log.</summary>
    public const int LogFileCount = 100;
}
