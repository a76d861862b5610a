using System.Globalization;
using System.Text.RegularExpressions;
using Candela.Docker.Http;
using Candela.Docker.Volumes;
using Candela.Model;

namespace Candela.Docker.Containers;

/// <summary>Turns Docker's creation into a <see cref="ContainerSpec"/>; refuses what would be ignored.</summary>
internal static partial class ContainerTranslation
{
    public const string NoNetworkWarning =
        "the container has loopback only: name a network to connect it (--network bridge), or say --network none to silence this warning";

    [GeneratedRegex("^[a-zA-Z0-9][a-zA-Z0-9_.-]+$", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern { get; }

    /// <summary>Checks a name as dockerd does; null stays null.</summary>
    public static string? CheckName(string? name)
    {
        if (string.IsNullOrEmpty(name))
            return null;
        name = name.TrimStart('/');
        if (name.Length > Limits.NameLength)
            throw DockerException.BadRequest($"Invalid container name: at most {Limits.NameLength} characters are allowed");
        return NamePattern.IsMatch(name)
            ? name
            : throw DockerException.BadRequest($"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
    }

    public static ContainerSpec Translate(CreateRequest request, string defaultNetwork, List<string> warnings)
    {
        if (string.IsNullOrEmpty(request.Image))
            throw DockerException.BadRequest("config cannot be empty in order to create a container: no image is given");
        Refusals.Check(request);

        var host = request.HostConfig ?? new HostConfigRequest();
        CheckNamespaces(host);
        ResourceTranslation.Check(host, warnings);
        NetworkWishes network = NetworkTranslation.Translate(request, host, defaultNetwork);
        if (network.Mode == "none" && host.NetworkMode != "none" && request.NetworkDisabled != true)
            warnings.Add(NoNetworkWarning);
        var restart = ResourceTranslation.Restart(host.RestartPolicy);
        var autoRemove = host.AutoRemove ?? false;
        if (autoRemove && restart.Condition != RestartCondition.No)
            throw DockerException.BadRequest("can't create 'AutoRemove' container with restart policy");

        return new ContainerSpec
        {
            Image = request.Image,
            // One empty string is how the CLI says --entrypoint "": no entrypoint at all.
            Entrypoint = request.Entrypoint is { Count: 1 } only && only[0].Length == 0 ? [] : request.Entrypoint,
            Command = request.Cmd is { Count: > 0 } ? request.Cmd : null,
            Environment = Environment(request.Env),
            WorkingDirectory = NullIfEmpty(request.WorkingDir),
            User = NullIfEmpty(request.User),
            GroupAdd = host.GroupAdd ?? [],
            Hostname = NullIfEmpty(request.Hostname),
            Domainname = NullIfEmpty(request.Domainname),
            Tty = request.Tty ?? false,
            OpenStdin = request.OpenStdin ?? false,
            StdinOnce = request.StdinOnce ?? false,
            Labels = Plain(request.Labels),
            MemoryBytes = host.Memory ?? 0,
            NanoCpus = ResourceTranslation.Cpus(host),
            Hints = ResourceTranslation.Hints(host, new ResourceHints()),
            PidsLimit = Math.Max(0, host.PidsLimit ?? 0),
            ReadOnlyRootfs = host.ReadonlyRootfs ?? false,
            Tmpfs = Tmpfs(host),
            Volumes = VolumeTranslation.Translate(request, host),
            VolumesFrom = host.VolumesFrom ?? [],
            ShmSizeBytes = host.ShmSize is >= 0 or null ? host.ShmSize ?? 0 : throw DockerException.BadRequest("SHM size can not be less than 0"),
            Ulimits = Ulimits(host.Ulimits),
            Sysctls = Plain(host.Sysctls),
            CapAdd = host.CapAdd ?? [],
            CapDrop = host.CapDrop ?? [],
            Privileged = host.Privileged ?? false,
            NoNewPrivileges = NoNewPrivileges(host.SecurityOpt),
            OomScoreAdjustment = host.OomScoreAdj is >= -1000 and <= 1000 or null
                ? host.OomScoreAdj ?? 0
                : throw DockerException.BadRequest($"Invalid value {host.OomScoreAdj}, range for oom score adj is [-1000, 1000]"),
            StopSignal = NullIfEmpty(request.StopSignal),
            StopTimeoutSeconds = request.StopTimeout,
            AutoRemove = autoRemove,
            Init = host.Init ?? false,
            ExtraHosts = host.ExtraHosts ?? [],
            DnsServers = host.Dns ?? [],
            DnsSearch = host.DnsSearch ?? [],
            DnsOptions = host.DnsOptions ?? [],
            NetworkMode = network.Mode,
            Networks = network.Networks,
            ExposedPorts = request.ExposedPorts is { } exposed ? [.. exposed.Keys] : [],
            PublishAllPorts = host.PublishAllPorts ?? false,
            PublishedPorts = network.Ports,
            RestartPolicy = restart,
            Log = LogTranslation.Translate(host.LogConfig),
            SecurityOptions = host.SecurityOpt ?? [],
            HealthCheck = HealthTranslation.Translate(request.Healthcheck),
        };
    }

    private static void CheckNamespaces(HostConfigRequest host)
    {
        Check(host.PidMode, "--pid", "");
        Check(host.UTSMode, "--uts", "");
        Check(host.UsernsMode, "--userns", "");
        Check(host.IpcMode, "--ipc", "", "private", "shareable");
        Check(host.CgroupnsMode, "--cgroupns", "", "private");
        Check(host.Isolation, "--isolation", "", "default");
        if (host.Runtime is not (null or "" or "candela"))
            throw DockerException.BadRequest($"unknown or invalid runtime name: {host.Runtime}");

        static void Check(string? value, string flag, params ReadOnlySpan<string> accepted)
        {
            if (!accepted.Contains(value ?? ""))
                throw DockerException.NotSupported($"{flag}={value} (every container is a virtual machine of its own) is");
        }
    }

    private static List<string> Environment(List<string?>? variables)
    {
        var result = new List<string>(variables?.Count ?? 0);
        foreach (var variable in variables ?? [])
        {
            if (string.IsNullOrEmpty(variable) || variable[0] == '=')
                throw DockerException.BadRequest($"invalid environment variable: {variable}");
            result.Add(variable);
        }

        return result;
    }

    private static Dictionary<string, string> Tmpfs(HostConfigRequest host)
    {
        var result = Plain(host.Tmpfs);
        foreach (var mount in host.Mounts ?? [])
        {
            if (mount.Type == "volume")
                continue;
            if (mount.Type is not ("tmpfs" or "bind" or "npipe" or "cluster" or "image"))
                throw DockerException.BadRequest($"invalid mount config for type \"{mount.Type}\": mount type unknown");
            if (mount.Type != "tmpfs")
                throw DockerException.NotSupported($"mounts of type {mount.Type} (--mount; only volume and tmpfs) are");
            if (string.IsNullOrEmpty(mount.Target))
                throw DockerException.BadRequest("invalid mount config for type \"tmpfs\": field Target must not be empty");
            if (!string.IsNullOrEmpty(mount.Source))
                throw DockerException.BadRequest("invalid mount config for type \"tmpfs\": field Source must not be specified");
            var options = new List<string>();
            if (mount.ReadOnly == true)
                options.Add("ro");
            if (mount.TmpfsOptions?.SizeBytes is > 0 and var size)
                options.Add(string.Create(CultureInfo.InvariantCulture, $"size={size}"));
            if (mount.TmpfsOptions?.Mode is > 0 and var mode)
                options.Add("mode=" + Convert.ToString((int)(mode & 0xFFF), 8));
            if (!result.TryAdd(mount.Target, string.Join(',', options)))
                throw DockerException.BadRequest($"Duplicate mount point: {mount.Target}");
        }

        return result;
    }

    private static List<Ulimit> Ulimits(List<UlimitRequest>? ulimits)
    {
        var result = new List<Ulimit>();
        foreach (var ulimit in ulimits ?? [])
        {
            if (ulimit is null || string.IsNullOrEmpty(ulimit.Name))
                throw DockerException.BadRequest("invalid ulimit: it has no name");
            result.Add(new Ulimit(ulimit.Name.ToLowerInvariant(), ulimit.Soft ?? 0, ulimit.Hard ?? 0));
        }

        return result;
    }

    private static bool NoNewPrivileges(List<string>? options)
    {
        var result = false;
        foreach (var option in options ?? [])
        {
            switch ((option ?? "").Replace('=', ':'))
            {
                case "no-new-privileges" or "no-new-privileges:true":
                    result = true;
                    break;
                case "no-new-privileges:false":
                    result = false;
                    break;
                case "seccomp:unconfined" or "seccomp:builtin" or "apparmor:unconfined" or "label:disable" or "systempaths:unconfined":
                    break; // how it is in any case: the VM is the boundary
                default:
                    throw DockerException.NotSupported($"security option \"{option}\" (--security-opt) is");
            }
        }

        return result;
    }

    private static Dictionary<string, string> Plain(Dictionary<string, string?>? values) =>
        values is null ? [] : values.ToDictionary(pair => pair.Key, pair => pair.Value ?? "", StringComparer.Ordinal);

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
