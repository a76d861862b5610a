using System.Text.Json;
using Candela.Docker.Images;
using Candela.Docker.Json;
using Candela.Docker.Volumes;
using Candela.Images;
using Candela.Model;

namespace Candela.Docker.Containers;

/// <summary>Shows a container in Docker's shapes.</summary>
internal static class ContainerView
{
    private static readonly JsonElement EmptyObject = JsonElement.Parse("{}");

    private const long ShmBytesDefault = 64 * 1024 * 1024;

    public static ContainerInspect Inspect(Container container, Image? image, bool size)
    {
        var status = container.Status;
        var spec = container.Spec;
        var process = container.Process;
        return new ContainerInspect
        {
            Id = container.Id,
            Created = DockerTime.Format(container.CreatedAt),
            Path = process.Arguments.Count > 0 ? process.Arguments[0] : "",
            Args = process.Arguments.Count > 0 ? [.. process.Arguments.Skip(1)] : [],
            State = new StateView
            {
                Status = ContainerText.State(status.State),
                Running = IsRunning(status.State),
                Paused = status.State == ContainerState.Paused,
                Restarting = status.State == ContainerState.Restarting,
                OOMKilled = status.OomKilled,
                Dead = status.State == ContainerState.Dead,
                Pid = status.Pid,
                ExitCode = status.ExitCode,
                Error = status.Error,
                StartedAt = DockerTime.Format(status.StartedAt),
                FinishedAt = DockerTime.Format(status.FinishedAt),
                Health = HealthTranslation.View(status.Health),
            },
            Image = container.ImageId,
            Name = "/" + container.Name,
            RestartCount = status.RestartCount,
            HostConfig = HostConfig(spec),
            NetworkSettings = NetworkSettings.View(container),
            SizeRw = size ? 0 : null,
            SizeRootFs = size ? image?.SizeBytes ?? 0 : null,
            Mounts = Mounts(container),
            Config = new ConfigView
            {
                Hostname = spec.Hostname ?? container.Id[..12],
                Domainname = spec.Domainname ?? "",
                User = process.User,
                AttachStdin = spec.StdinOnce,
                AttachStdout = true,
                AttachStderr = true,
                Tty = spec.Tty,
                OpenStdin = spec.OpenStdin,
                StdinOnce = spec.StdinOnce,
                Env = process.Environment,
                Cmd = spec.Command ?? (spec.Entrypoint is null ? image?.Configuration.Command : null),
                Image = spec.Image,
                ExposedPorts = container.ExposedPorts.Count == 0 ? null : container.ExposedPorts.ToDictionary(static p => p, static _ => EmptyObject),
                WorkingDir = spec.WorkingDirectory ?? image?.Configuration.WorkingDirectory ?? "",
                Entrypoint = spec.Entrypoint is { Count: 0 } ? null : spec.Entrypoint ?? image?.Configuration.Entrypoint,
                Volumes = Volumes(spec, image),
                Healthcheck = HealthTranslation.View(container.HealthCheck),
                Labels = Labels(container, image),
                StopSignal = spec.StopSignal ?? (image?.Configuration.StopSignal is { Length: > 0 } signal ? signal : null),
                StopTimeout = spec.StopTimeoutSeconds,
            },
        };
    }

    public static ContainerSummary Summary(Container container, ImageIndex images, DateTimeOffset now, bool size)
    {
        var image = images.Find(container.ImageId);
        return new ContainerSummary
        {
            Id = container.Id,
            Names = ["/" + container.Name],
            Image = images.StillMeans(container.Spec.Image, container.ImageId) ? container.Spec.Image : ImageNames.ShortId(container.ImageId),
            ImageID = container.ImageId,
            Command = ContainerText.Command(container.Process.Arguments),
            Created = container.CreatedAt.ToUnixTimeSeconds(),
            Labels = Labels(container, image),
            Ports = NetworkSettings.Summary(container),
            HostConfig = new SummaryHostConfig(container.Spec.NetworkMode),
            NetworkSettings = new SummaryNetworks { Networks = NetworkSettings.Networks(container) },
            State = ContainerText.State(container.Status.State),
            Status = ContainerText.Status(container.Status, now),
            Mounts = Mounts(container),
            SizeRw = size ? 0 : null,
            SizeRootFs = size ? image?.SizeBytes ?? 0 : null,
        };
    }

    private static List<MountView> Mounts(Container container) =>
    [
        .. container.Volumes.Select(volume => VolumeTranslation.View(volume, container.Spec)),
        .. container.Spec.Tmpfs.Select(static mount => new MountView("tmpfs", "", mount.Key, mount.Value, !mount.Value.Split(',').Contains("ro"), "")),
    ];

    /// <summary>Folders that the image declares and those of <c>-v /folder</c>; null: none.</summary>
    private static Dictionary<string, JsonElement>? Volumes(ContainerSpec spec, Image? image)
    {
        var folders = (image?.Configuration.Volumes ?? []).Concat(spec.Volumes.Where(static volume => !volume.IsMount && volume.Source.Length == 0).Select(static volume => volume.Target))
            .Distinct().ToDictionary(static folder => folder, static _ => EmptyObject, StringComparer.Ordinal);
        return folders.Count == 0 ? null : folders;
    }

    public static bool IsRunning(ContainerState state) => state is ContainerState.Running or ContainerState.Paused or ContainerState.Restarting;

    /// <summary>The container's labels over its image's.</summary>
    public static IReadOnlyDictionary<string, string> Labels(Container container, Image? image)
    {
        if (image is null || image.Configuration.Labels.Count == 0)
            return container.Spec.Labels;
        var labels = new Dictionary<string, string>(image.Configuration.Labels, StringComparer.Ordinal);
        foreach (var (name, value) in container.Spec.Labels)
            labels[name] = value;
        return labels;
    }

    private static HostConfigView HostConfig(ContainerSpec spec) => new()
    {
        NetworkMode = spec.NetworkMode,
        PortBindings = NetworkSettings.Bindings(spec.PublishedPorts),
        PublishAllPorts = spec.PublishAllPorts,
        RestartPolicy = new RestartPolicyView(
            spec.RestartPolicy.Condition switch
            {
                RestartCondition.Always => "always",
                RestartCondition.UnlessStopped => "unless-stopped",
                RestartCondition.OnFailure => "on-failure",
                _ => "no",
            },
            spec.RestartPolicy.MaximumRetryCount),
        AutoRemove = spec.AutoRemove,
        Binds = NullIfEmpty(VolumeTranslation.Binds(spec)),
        Mounts = VolumeTranslation.Mounts(spec),
        VolumesFrom = NullIfEmpty(spec.VolumesFrom),
        CapAdd = NullIfEmpty(spec.CapAdd),
        CapDrop = NullIfEmpty(spec.CapDrop),
        Dns = spec.DnsServers,
        DnsOptions = spec.DnsOptions,
        DnsSearch = spec.DnsSearch,
        ExtraHosts = NullIfEmpty(spec.ExtraHosts),
        GroupAdd = NullIfEmpty(spec.GroupAdd),
        OomScoreAdj = spec.OomScoreAdjustment,
        Privileged = spec.Privileged,
        ReadonlyRootfs = spec.ReadOnlyRootfs,
        SecurityOpt = SecurityOptions(spec),
        LogConfig = new LogConfigView { Type = LogTranslation.Text(spec.Log.Driver), Config = new Dictionary<string, string>(spec.Log.Options) },
        Tmpfs = spec.Tmpfs.Count == 0 ? null : spec.Tmpfs,
        ShmSize = spec.ShmSizeBytes == 0 ? ShmBytesDefault : spec.ShmSizeBytes,
        Sysctls = spec.Sysctls.Count == 0 ? null : spec.Sysctls,
        Memory = spec.MemoryBytes,
        MemorySwap = spec.MemoryBytes,
        // As it was given: a quota is not shown as CPUs, too.
        NanoCpus = spec.Hints.CpuQuotaMicroseconds > 0 ? 0 : spec.NanoCpus,
        CpuPeriod = spec.Hints.CpuPeriodMicroseconds,
        CpuQuota = spec.Hints.CpuQuotaMicroseconds,
        CpuShares = spec.Hints.CpuShares,
        CpusetCpus = spec.Hints.CpusetCpus,
        CpusetMems = spec.Hints.CpusetMems,
        MemoryReservation = spec.Hints.MemoryReservationBytes,
        PidsLimit = spec.PidsLimit == 0 ? null : spec.PidsLimit,
        Ulimits = [.. spec.Ulimits.Select(static ulimit => new UlimitView(ulimit.Name, ulimit.Hard, ulimit.Soft))],
        Init = spec.Init ? true : null,
    };

    private static IReadOnlyList<string>? SecurityOptions(ContainerSpec spec) =>
        spec.SecurityOptions.Count > 0 ? spec.SecurityOptions : spec.NoNewPrivileges ? ["no-new-privileges"] : spec.Privileged ? ["label=disable"] : null;

    private static IReadOnlyList<string>? NullIfEmpty(IReadOnlyList<string> list) => list.Count == 0 ? null : list;
}
