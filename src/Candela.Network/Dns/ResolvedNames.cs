using System.Collections.Immutable;
using System.Net;
using Candela.Network.Plan;

namespace Candela.Network.Dns;

/// <summary>
/// What the names in a project's policies stand for at the moment. An address counts as the name's for longer than its TTL, since
/// connections outlive it.
/// </summary>
/// <remarks>Not for several threads at once.</remarks>
internal sealed class ResolvedNames(TimeProvider clock)
{
    private static readonly TimeSpan s_shortest = TimeSpan.FromMinutes(5), s_longest = TimeSpan.FromDays(1);
    private const int MostNames = 10_000, MostAddresses = 64;
    private readonly Dictionary<string, Dictionary<IPAddress, DateTimeOffset>> _names = [];

    /// <summary>Nothing is known.</summary>
    public bool IsEmpty => _names.Count == 0;

    /// <summary>Notes addresses of a name.</summary>
    /// <returns>Whether some policy of the plan may mean it and something is new.</returns>
    public bool Learn(ProjectPlan plan, string name, IReadOnlyList<IPAddress> addresses, uint ttlSeconds)
    {
        bool isMeant = plan.Policies.Values.SelectMany(p => p.Peers).OfType<Peer.DnsName>()
            .Any(p => p.Name == name || (p.Name.StartsWith("*.", StringComparison.Ordinal) && name.EndsWith(p.Name[1..], StringComparison.Ordinal)));
        if (!isMeant || (_names.Count >= MostNames && !_names.ContainsKey(name)))
            return false;
        if (!_names.TryGetValue(name, out Dictionary<IPAddress, DateTimeOffset>? known))
            _names.Add(name, known = []);
        TimeSpan life = TimeSpan.FromSeconds(ttlSeconds);
        DateTimeOffset end = clock.GetUtcNow() + (life < s_shortest ? s_shortest : life > s_longest ? s_longest : life);
        bool isNew = false;
        foreach (IPAddress address in addresses.Take(MostAddresses))
        {
            isNew |= !known.ContainsKey(address);
            known[address] = end;
        }

        return isNew;
    }

    /// <summary>Forgets what is over.</summary>
    /// <returns>Whether something was.</returns>
    public bool Expire()
    {
        DateTimeOffset now = clock.GetUtcNow();
        bool changed = false;
        foreach ((string name, Dictionary<IPAddress, DateTimeOffset> known) in _names.ToArray())
        {
            foreach (IPAddress address in known.Where(k => k.Value <= now).Select(k => k.Key).ToArray())
                changed |= known.Remove(address);
            if (known.Count == 0)
                _names.Remove(name);
        }

        return changed;
    }

    public ImmutableDictionary<string, ImmutableArray<IPAddress>> Current() => _names.ToImmutableDictionary(n => n.Key, n => n.Value.Keys.ToImmutableArray());
}
