using System.Text;
using System.Text.RegularExpressions;
using Candela.Model;

namespace Candela.Controller.Containers;

/// <summary>Refuses values out of range before anything is made of them; the wording is Docker's where it has one.</summary>
internal static partial class SpecCheck
{
    private const long NanoCpusMinimum = 10_000_000;
    private const int OomScoreMaximum = 1000;
    private const int PathLength = 4096;
    private const int TextLength = 4096;

    private static readonly HashSet<string> UlimitNames = new(StringComparer.Ordinal)
    {
        "cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock", "as", "locks", "sigpending", "msgqueue", "nice", "rtprio",
        "rttime",
    };

    [GeneratedRegex("^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\\z", RegexOptions.CultureInvariant)]
    private static partial Regex HostnameLabel { get; }

    [GeneratedRegex("^[a-zA-Z0-9_][a-zA-Z0-9_./-]*\\z", RegexOptions.CultureInvariant)]
    private static partial Regex SysctlName { get; }

    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public static void Check(ContainerSpec spec)
    {
        if (spec.Image.Length is 0 or > TextLength)
            throw Invalid("no image is given, or its name is too long");
        CheckNames(spec);
        CheckResources(spec);
        CheckMounts(spec);
        CheckVolumes(spec);
        CheckLists(spec);
        if (spec.StopTimeoutSeconds < -1)
            throw Invalid("invalid stop timeout: -1 (never kill) or more seconds are expected");
        var restart = spec.RestartPolicy;
        if (restart.MaximumRetryCount < 0)
            throw Invalid("invalid restart policy: maximum retry count cannot be negative");
        if (restart.MaximumRetryCount > 0 && restart.Condition != RestartCondition.OnFailure)
            throw Invalid("invalid restart policy: maximum retry count can only be used with 'on-failure'");
        if (spec.AutoRemove && restart.Condition != RestartCondition.No)
            throw Invalid("can't create 'AutoRemove' container with restart policy");
        CheckNetwork(spec);
        CheckLog(spec.Log);
    }

    private static void CheckLog(LogConfiguration log)
    {
        if (!Enum.IsDefined(log.Driver))
            throw Invalid("there is no such log driver");
        if (log.MaxSizeBytes < 0)
            throw Invalid("the size of a log file cannot be negative (0: no limit)");
        if (log.MaxFiles is < 0 or > Limits.LogFileCount)
            throw Invalid($"a log has 1 to {Limits.LogFileCount} files");
        Count(log.Options, Limits.LabelCount, "options of a log driver");
    }

    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public static void Check(ProcessConfiguration process)
    {
        Count(process.Arguments, Limits.ArgumentCount, "arguments");
        Count(process.Environment, Limits.EnvironmentCount, "environment variables");
        var bytes = 0L;
        foreach (var text in process.Arguments.Concat(process.Environment))
        {
            if (text.Contains('\0', StringComparison.Ordinal))
                throw Invalid("an argument or environment variable contains a NUL character");
            bytes += Encoding.UTF8.GetByteCount(text) + 1;
        }

        if (bytes > Limits.ArgumentAndEnvironmentBytes)
            throw Invalid($"argument list too long: arguments and environment have at most {Limits.ArgumentAndEnvironmentBytes} bytes together");
        if (process.Arguments[0].Length == 0)
            throw Invalid("the command is an empty string");
        Path(process.WorkingDirectory, "working directory");
        if (process.User.Length > TextLength || process.User.AsSpan().IndexOfAny('\0', '\n') >= 0)
            throw Invalid("the user is not valid: user[:group] is expected");
    }

    private static void CheckNames(ContainerSpec spec)
    {
        if (spec.Hostname is { } hostname)
        {
            if (hostname.Length > Limits.HostnameLength || !hostname.Split('.').All(HostnameLabel.IsMatch))
                throw Invalid($"invalid hostname format: {hostname}: letters, digits and -, at most {Limits.HostnameLength} characters");
        }

        if (spec.Domainname is { Length: > 0 } domain && (domain.Length > Limits.HostnameLength || !domain.Split('.').All(HostnameLabel.IsMatch)))
            throw Invalid($"invalid domain name: {domain}");
        if (spec.Labels.Count > Limits.LabelCount)
            throw Invalid($"at most {Limits.LabelCount} labels are allowed");
        if (spec.Labels.Any(static label => label.Key.Length is 0 or > TextLength || label.Value.Length > Limits.ArgumentAndEnvironmentBytes / 16))
            throw Invalid("a label's name is empty, or it is too long");
    }

    private static void CheckResources(ContainerSpec spec)
    {
        if (spec.MemoryBytes < 0 || spec.MemoryBytes is > 0 and < Limits.MemoryBytesMinimum)
            throw Invalid("Minimum memory limit allowed is 6MB");
        if (spec.NanoCpus < 0 || spec.NanoCpus is > 0 and < NanoCpusMinimum || spec.NanoCpus > Limits.VCpuCount * 1_000_000_000L)
            throw Invalid($"range of CPUs is from 0.01 to {Limits.VCpuCount}.00, as a micro-VM has at most {Limits.VCpuCount} CPUs");
        if (spec.PidsLimit < 0)
            throw Invalid("the limit of processes cannot be negative (0: none)");
        if (spec.ShmSizeBytes < 0)
            throw Invalid("SHM size can not be less than 0");
        if (Math.Abs((long)spec.OomScoreAdjustment) > OomScoreMaximum)
            throw Invalid($"Invalid value {spec.OomScoreAdjustment}, range for oom score adj is [-{OomScoreMaximum}, {OomScoreMaximum}]");
        foreach (var ulimit in spec.Ulimits)
        {
            if (!UlimitNames.Contains(ulimit.Name))
                throw Invalid($"invalid ulimit type: {ulimit.Name}");
            if (ulimit.Soft < -1 || ulimit.Hard < -1 || ulimit.Hard >= 0 && (ulimit.Soft < 0 || ulimit.Soft > ulimit.Hard))
                throw Invalid($"ulimit soft limit must be less than or equal to hard limit: {ulimit.Soft} > {ulimit.Hard}");
        }
    }

    private static void CheckMounts(ContainerSpec spec)
    {
        Count(spec.Tmpfs, Limits.LabelCount, "tmpfs mounts");
        foreach (var (path, options) in spec.Tmpfs)
        {
            Path(path, "tmpfs mount");
            if (path.TrimEnd('/').Length == 0)
                throw Invalid("invalid tmpfs mount: destination can't be '/'");
            if (options.Length > TextLength || options.Contains('\0', StringComparison.Ordinal))
                throw Invalid($"invalid tmpfs options for {path}");
        }
    }

    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public static void Check(NetworkAttachment attachment)
    {
        Count(attachment.Aliases, Limits.LabelCount, "network aliases");
        Count(attachment.Links, Limits.LabelCount, "links");
        foreach (string link in attachment.Links)
        {
            string[] parts = link.Split(':');
            if (parts.Length > 2 || parts[0].Length == 0 || !IsAlias(parts[^1]))
                throw Invalid($"invalid link \"{link}\": container or container:name is expected");
        }

        if (attachment.Aliases.Any(static alias => !IsAlias(alias)))
            throw Invalid("a network alias is of letters, digits, -, _ and ., at most 255");
        CheckAddress(attachment.Ipv4Address, System.Net.Sockets.AddressFamily.InterNetwork, "IPv4");
        CheckAddress(attachment.Ipv6Address, System.Net.Sockets.AddressFamily.InterNetworkV6, "IPv6");
        // Neither multicast nor broadcast.
        if (attachment.MacAddress is { } mac && (!Network.MacAddress.TryParse(mac, out _) || (Convert.ToByte(mac[..2], 16) & 1) != 0))
            throw Invalid($"invalid MAC address \"{mac}\": one like 02:cd:00:00:00:01 is expected");
    }

    private static bool IsAlias(string alias) => alias.Length is > 0 and <= 255 && alias.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    private static void CheckAddress(string? address, System.Net.Sockets.AddressFamily family, string version)
    {
        if (address is not null && (!System.Net.IPAddress.TryParse(address, out var parsed) || parsed.AddressFamily != family))
            throw Invalid($"invalid {version} address: {address}");
    }

    private static void CheckNetwork(ContainerSpec spec)
    {
        if (spec.NetworkMode == "host" || spec.NetworkMode.StartsWith("container:", StringComparison.Ordinal))
            throw new CandelaException(ErrorCode.NotSupported, $"network mode {spec.NetworkMode} is not supported: a container is a virtual machine of its own and shares no network stack; connect both to one network");
        Count(spec.Networks, Limits.ContainerNetworkCount, "networks");
        foreach (NetworkAttachment attachment in spec.Networks)
            Check(attachment);
        Count(spec.ExposedPorts, Limits.PublishedPortCount, "exposed ports");
        Count(spec.PublishedPorts, Limits.PublishedPortCount, "published ports");
        foreach (PortPublication port in spec.PublishedPorts)
        {
            if (port.Protocol is not ("tcp" or "udp" or "sctp") || port.ContainerPort == 0)
                throw Invalid($"invalid published port {port.ContainerPort}/{port.Protocol}: a port from 1 to 65535 of tcp, udp or sctp is expected");
            if (port.LastHostPort != 0 && (port.HostPort == 0 || port.LastHostPort < port.HostPort))
                throw Invalid($"invalid range of ports to publish on: {port.HostPort} to {port.LastHostPort}");
            if (port.HostAddress is { } address && !System.Net.IPAddress.TryParse(address, out _))
                throw Invalid($"invalid address to publish on: {address}");
        }
    }

    private static void CheckVolumes(ContainerSpec spec)
    {
        Count(spec.Volumes, Limits.VolumeCount, "volumes");
        Count(spec.VolumesFrom, Limits.LabelCount, "containers to take volumes from");
        foreach (var volume in spec.Volumes)
        {
            Path(volume.Target, "mount path");
            Count(volume.Labels, Limits.LabelCount, "labels of a volume");
            Count(volume.Options, Limits.LabelCount, "options of a volume");
        }
    }

    private static void CheckLists(ContainerSpec spec)
    {
        Count(spec.Environment, Limits.EnvironmentCount, "environment variables");
        Count(spec.Ulimits, Limits.LabelCount, "ulimits");
        Count(spec.Sysctls, Limits.LabelCount, "sysctls");
        foreach (var list in (IReadOnlyList<string>[])
            [spec.GroupAdd, spec.SecurityOptions, spec.CapAdd, spec.CapDrop, spec.ExtraHosts, spec.DnsServers, spec.DnsSearch, spec.DnsOptions])
        {
            Count(list, Limits.LabelCount, "entries of one list");
            if (list.Any(static text => text.Length is 0 or > TextLength || text.AsSpan().IndexOfAny('\0', '\n') >= 0))
                throw Invalid("an entry of a list is empty, too long, or has a line break in it");
        }

        if (spec.Sysctls.FirstOrDefault(static sysctl => !SysctlName.IsMatch(sysctl.Key) || sysctl.Key.Contains("..", StringComparison.Ordinal) || sysctl.Value.Length > TextLength) is { Key: { } bad })
            throw Invalid($"invalid sysctl: {bad}");
    }

    private static void Path(string path, string what)
    {
        if (path.Length is 0 or > PathLength || path[0] != '/' || path.Contains('\0', StringComparison.Ordinal))
            throw Invalid($"the {what} '{path}' is invalid, it needs to be an absolute path");
    }

    private static void Count<T>(IReadOnlyCollection<T> values, int most, string what)
    {
        if (values.Count > most)
            throw Invalid($"at most {most} {what} are allowed");
    }

    private static CandelaException Invalid(string message) => new(ErrorCode.InvalidArgument, message);
}
