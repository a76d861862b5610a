using Candela.Docker.Containers;
using Candela.Docker.Http;
using Candela.Model;

namespace Candela.Docker.Volumes;

/// <summary>The volumes of a creation: <c>-v</c>, <c>--mount type=volume</c>, and the image's own as the request repeats them.</summary>
internal static class VolumeTranslation
{
    public static List<VolumeMountSpec> Translate(CreateRequest request, HostConfigRequest host)
    {
        VolumeEndpoints.CheckDriver("", host.VolumeDriver);
        var result = new List<VolumeMountSpec>();
        foreach (var bind in host.Binds ?? [])
            result.Add(OfBind(bind));
        foreach (var mount in host.Mounts ?? [])
        {
            if (mount.Type == "volume")
                result.Add(OfMount(mount));
        }

        foreach (var target in request.Volumes?.Keys ?? Enumerable.Empty<string>())
        {
            if (!result.Any(volume => volume.Target == target))
                result.Add(new VolumeMountSpec { Target = target });
        }

        return result;
    }

    /// <summary>How <c>HostConfig.Binds</c> shows what <c>-v</c> asked for.</summary>
    public static List<string> Binds(ContainerSpec spec) =>
        [.. spec.Volumes.Where(static volume => !volume.IsMount && volume.Source.Length > 0).Select(static volume => $"{volume.Source}:{volume.Target}{Mode(volume)}")];

    /// <summary>How <c>HostConfig.Mounts</c> shows what <c>--mount</c> asked for.</summary>
    public static List<MountConfigView>? Mounts(ContainerSpec spec)
    {
        var mounts = spec.Volumes.Where(static volume => volume.IsMount).Select(static volume =>
            new MountConfigView("volume", volume.Source.Length == 0 ? null : volume.Source, volume.Target, volume.ReadOnly ? true : null)).ToList();
        return mounts.Count == 0 ? null : mounts;
    }

    /// <summary>A mounted volume as inspect shows it.</summary>
    public static MountView View(ContainerVolume volume, ContainerSpec spec)
    {
        var asked = spec.Volumes.FirstOrDefault(mount => mount.Target.TrimEnd('/') == volume.Target);
        var mode = volume.IsAnonymous && asked is not { IsMount: true } ? "" : asked is { IsMount: false, ReadOnly: true } ? "ro" : "z";
        return new MountView("volume", "", volume.Target, mode, !volume.ReadOnly, "") { Name = volume.Name, Driver = "local" };
    }

    private static string Mode(VolumeMountSpec volume) => (volume.ReadOnly, volume.NoCopy) switch
    {
        (true, true) => ":ro,nocopy",
        (true, false) => ":ro",
        (false, true) => ":nocopy",
        _ => "",
    };

    private static VolumeMountSpec OfBind(string bind)
    {
        var parts = bind.Split(':');
        if (parts.Length is < 1 or > 3 || parts.Any(static part => part.Length == 0))
            throw DockerException.BadRequest($"invalid volume specification: '{bind}'");
        var (source, target) = parts.Length == 1 ? ("", parts[0]) : (parts[0], parts[1]);
        if (source.StartsWith('/') || source.StartsWith('.') || source.StartsWith('~'))
            throw DockerException.NotSupported($"bind mounts of host folders (-v {bind}; named volumes and docker cp are) are");
        if (!target.StartsWith('/'))
            throw DockerException.BadRequest($"invalid volume specification: '{bind}': invalid mount path: '{target}' mount path must be absolute");
        var (readOnly, noCopy) = (false, false);
        foreach (var option in parts.Length == 3 ? parts[2].Split(',') : [])
        {
            switch (option)
            {
                case "ro":
                    readOnly = true;
                    break;
                case "nocopy":
                    noCopy = true;
                    break;
                case "rw" or "z" or "Z" or "cached" or "delegated" or "consistent":
                    break; // labels and caches of a shared host mean nothing to a disk of its own
                default:
                    throw DockerException.BadRequest($"invalid mode: {parts[2]}");
            }
        }

        return new VolumeMountSpec { Source = source, Target = target, ReadOnly = readOnly, NoCopy = noCopy };
    }

    private static VolumeMountSpec OfMount(MountRequest mount)
    {
        if (string.IsNullOrEmpty(mount.Target))
            throw DockerException.BadRequest("invalid mount config for type \"volume\": field Target must not be empty");
        if (!mount.Target.StartsWith('/'))
            throw DockerException.BadRequest($"invalid mount config for type \"volume\": invalid mount path: '{mount.Target}' mount path must be absolute");
        var options = mount.VolumeOptions;
        if (!string.IsNullOrEmpty(options?.Subpath))
            throw DockerException.NotSupported("a part of a volume (--mount volume-subpath) is");
        VolumeEndpoints.CheckDriver(mount.Source ?? "", options?.DriverConfig?.Name);
        return new VolumeMountSpec
        {
            Source = mount.Source ?? "",
            Target = mount.Target,
            ReadOnly = mount.ReadOnly ?? false,
            NoCopy = options?.NoCopy ?? false,
            Labels = VolumeEndpoints.Plain(options?.Labels),
            Options = VolumeEndpoints.Plain(options?.DriverConfig?.Options),
            IsMount = true,
        };
    }
}
