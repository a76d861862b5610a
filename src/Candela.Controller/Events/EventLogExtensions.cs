using System.Globalization;
using Candela.Model;

namespace Candela.Controller.Events;

/// <summary>Events as Docker shapes them.</summary>
internal static class EventLogExtensions
{
    /// <summary>A container's event: its labels, image and name, and <paramref name="more"/>.</summary>
    public static void AddContainer(this EventLog log, Container container, string action, params ReadOnlySpan<(string Name, string Value)> more)
    {
        var attributes = new Dictionary<string, string>(container.Spec.Labels, StringComparer.Ordinal)
        {
            ["image"] = container.Spec.Image,
            ["name"] = container.Name,
        };
        foreach (var (name, value) in more)
            attributes[name] = value;
        log.Add(container.Project, "container", action, container.Id, attributes);
    }

    /// <summary>An attribute's number.</summary>
    public static string Text(this int number) => number.ToString(CultureInfo.InvariantCulture);
}
