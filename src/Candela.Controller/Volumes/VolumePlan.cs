using Candela.Model;

namespace Candela.Controller.Volumes;

/// <summary>Which volumes a container gets: those of other containers, over them those asked for, and the image's where nothing is yet.</summary>
internal sealed class VolumePlan
{
    /// <param name="spec">What was asked for.</param>
    /// <param name="imageVolumes">Folders that the image declares.</param>
    /// <param name="find">Finds a container of the project.</param>
    /// <exception cref="CandelaException">InvalidArgument; NotFound: a container of <see cref="ContainerSpec.VolumesFrom"/>.</exception>
    public VolumePlan(ContainerSpec spec, IReadOnlyList<string> imageVolumes, Func<string, Container> find)
    {
        var inherited = new Dictionary<string, ContainerVolume>(StringComparer.Ordinal);
        foreach (var text in spec.VolumesFrom)
        {
            var (reference, readOnly) = ParseFrom(text);
            foreach (var volume in find(reference).Volumes)
                inherited[Clean(volume.Target)] = volume with { ReadOnly = volume.ReadOnly || readOnly };
        }

        var wanted = new Dictionary<string, VolumeMountSpec>(StringComparer.Ordinal);
        foreach (var mount in spec.Volumes)
        {
            var target = Clean(mount.Target);
            if (target == "/")
                throw Invalid("invalid volume specification: destination can't be '/'");
            if (!wanted.TryAdd(target, mount with { Target = target }) || spec.Tmpfs.Keys.Any(tmpfs => Clean(tmpfs) == target))
                throw Invalid($"Duplicate mount point: {target}");
            inherited.Remove(target);
        }

        foreach (var folder in imageVolumes)
        {
            var target = Clean(folder);
            if (target != "/" && !inherited.ContainsKey(target) && !spec.Tmpfs.Keys.Any(tmpfs => Clean(tmpfs) == target))
                wanted.TryAdd(target, new VolumeMountSpec { Target = target });
        }

        Inherited = [.. inherited.Values];
        Wanted = [.. wanted.Values];
        var count = Inherited.Select(static volume => volume.Name).Concat(Wanted.Where(static mount => mount.Source.Length > 0).Select(static mount => mount.Source)).Distinct().Count()
            + Wanted.Count(static mount => mount.Source.Length == 0);
        if (count > Limits.VolumeCount)
            throw Invalid($"a container has at most {Limits.VolumeCount} volumes, this one would have {count}");
    }

    /// <summary>Volumes of other containers.</summary>
    public IReadOnlyList<ContainerVolume> Inherited { get; }

    /// <summary>Volumes to find or make.</summary>
    public IReadOnlyList<VolumeMountSpec> Wanted { get; }

    private static (string Reference, bool ReadOnly) ParseFrom(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? (text, false) : (text[..colon], text[(colon + 1)..] switch
        {
            "ro" => true,
            "rw" or "z" or "Z" => false,
            var mode => throw Invalid($"invalid mode: {mode}"),
        });
    }

    private static string Clean(string path)
    {
        var steps = new List<string>();
        foreach (var step in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (step == "..")
                steps.RemoveRange(Math.Max(0, steps.Count - 1), Math.Min(1, steps.Count));
            else if (step != ".")
                steps.Add(step);
        }

        return "/" + string.Join('/', steps);
    }

    private static CandelaException Invalid(string message) => new(ErrorCode.InvalidArgument, message);
}
