namespace Candela.Network.Plan;

/// <summary>
/// Published ports on their way: the host translates to the project's end of its way out, the project's namespace from there to the
/// container. In between the port is the host's, unless two addresses of the host have the same one.
/// </summary>
internal static class TransitPorts
{
    public static IEnumerable<(PublishedPort Published, ushort TransitPort)> Of(ProjectPlan plan)
    {
        if (plan.Published.IsEmpty)
            yield break;
        var taken = plan.Published.Select(p => (p.Protocol, p.HostPort)).ToHashSet();
        var given = new HashSet<(Protocol, ushort)>();
        ushort next = ushort.MaxValue;
        foreach (PublishedPort published in plan.Published)
        {
            ushort port = published.HostPort;
            if (!given.Add((published.Protocol, port)))
            {
                while (!taken.Add((published.Protocol, next)))
                    next--;
                port = next;
            }

            yield return (published, port);
        }
    }
}
