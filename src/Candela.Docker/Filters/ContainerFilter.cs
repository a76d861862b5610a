using System.Globalization;
using Candela.Docker.Containers;
using Candela.Docker.Http;
using Candela.Docker.Images;
using Candela.Model;

namespace Candela.Docker.Filters;

/// <summary>Filters of <c>docker ps</c>.</summary>
internal sealed class ContainerFilter
{
    private static readonly string[] Keys =
        ["ancestor", "before", "expose", "exited", "health", "id", "isolation", "is-task", "label", "name", "network", "publish", "since", "status", "volume"];

    private static readonly HashSet<string> States =
        new(StringComparer.Ordinal) { "created", "running", "paused", "restarting", "removing", "exited", "dead" };

    private readonly FilterSet _set;
    private readonly List<Candela.Images.Image> _ancestors = [];
    private readonly ImageIndex _images;
    private readonly DateTimeOffset? _before;
    private readonly DateTimeOffset? _since;
    private readonly HashSet<int> _exitCodes = [];

    public ContainerFilter(string? text, IReadOnlyList<Container> all, ImageIndex images)
    {
        _set = FilterSet.Parse(text, Keys);
        _images = images;
        foreach (var status in _set["status"])
        {
            if (!States.Contains(status))
                throw DockerException.BadRequest($"invalid filter 'status={status}'");
        }

        foreach (var code in _set["exited"])
        {
            _exitCodes.Add(int.TryParse(code, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw DockerException.BadRequest($"invalid filter 'exited={code}'"));
        }

        foreach (var health in _set["health"])
        {
            if (health is not ("starting" or "healthy" or "unhealthy" or "none"))
                throw DockerException.BadRequest($"invalid filter 'health={health}'");
        }

        foreach (var name in _set["ancestor"])
        {
            if (images.Resolve(name) is { } image)
                _ancestors.Add(image);
        }

        foreach (var reference in _set["before"])
            _before = Earlier(_before, Find(reference).CreatedAt);
        foreach (var reference in _set["since"])
            _since = Later(_since, Find(reference).CreatedAt);

        Container Find(string reference) => all.FirstOrDefault(container => container.Name == reference.TrimStart('/'))
            ?? all.FirstOrDefault(container => reference.Length > 0 && container.Id.StartsWith(reference, StringComparison.Ordinal))
            ?? throw DockerException.NotFound($"No such container: {reference}");
    }

    /// <summary>These filters ask for containers that do not run, too, without <c>--all</c>.</summary>
    public bool IncludesStopped => _set.Has("status") || _set.Has("exited");

    /// <summary>Accepts or not.</summary>
    public bool Accepts(Container container)
    {
        var status = container.Status;
        return _set.Any("id", id => container.Id.StartsWith(id, StringComparison.Ordinal) || FilterSet.Matches(id, container.Id))
            && _set.Any("name", name => FilterSet.Matches(name, "/" + container.Name) || FilterSet.Matches(name, container.Name))
            && _set.Any("status", state => state == ContainerText.State(status.State))
            && (!_set.Has("exited") || status.State is ContainerState.Exited or ContainerState.Dead && _exitCodes.Contains(status.ExitCode))
            && _set.Any("health", health => health == (container.Status.Health is { } status ? HealthTranslation.Text(status.State) : "none"))
            && (_set.Flag("is-task") is not true)
            && _set.Any("network", network => IsConnected(container, network))
            && _set.Any("volume", volume => container.Spec.Tmpfs.ContainsKey(volume) || container.Volumes.Any(mount => mount.Name == volume || mount.Target == volume))
            && _set.Any("publish", port => container.Published.Any(p => port == $"{p.HostPort}" || port == $"{p.HostPort}/{p.Protocol}"))
            && _set.Any("expose", port => container.ExposedPorts.Any(e => e == port || e == port + "/tcp"))
            && _set.Any("isolation", static isolation => isolation is "" or "default")
            && _set.Labels(ContainerView.Labels(container, _images.Find(container.ImageId)))
            && (!_set.Has("ancestor") || IsOfAncestor(container))
            && (_before is null || container.CreatedAt < _before)
            && (_since is null || container.CreatedAt > _since);
    }

    private static bool IsConnected(Container container, string network) => container.Networks.Count == 0
        ? network is "none" || (network.Length > 0 && Networks.NetworkEndpoints.NoneId.StartsWith(network, StringComparison.Ordinal))
        : container.Networks.Any(n => n.Network == network) || container.Endpoints.Any(e => network.Length > 0 && e.NetworkId.StartsWith(network, StringComparison.Ordinal));

    private bool IsOfAncestor(Container container) =>
        _images.Find(container.ImageId) is { } image && _ancestors.Any(ancestor => ImageIndex.IsOrStemsFrom(image, ancestor));

    private static DateTimeOffset Earlier(DateTimeOffset? a, DateTimeOffset b) => a is { } known && known < b ? known : b;

    private static DateTimeOffset Later(DateTimeOffset? a, DateTimeOffset b) => a is { } known && known > b ? known : b;
}
