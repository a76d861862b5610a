namespace Candela.Network.Firewall;

/// <summary>Numbers of the classes of ports' addresses and of addresses outside. 0 is for what no policy speaks of.</summary>
internal sealed class Identities
{
    private const uint FirstOutside = 0x4000_0000;
    private readonly Dictionary<EndpointClass, uint> _endpoints = [];
    private readonly Dictionary<EndpointClass, int> _uses = [];
    private readonly SortedSet<uint> _free = [];
    private readonly Numbering _outsideNumbers = new(FirstOutside);
    private List<(int[] Peers, uint Identity)> _outside = [];
    private Dictionary<string, uint> _outsideByPeers = [];
    private uint _unused = 1;

    public IReadOnlyDictionary<EndpointClass, uint> Endpoints => _endpoints;

    public IReadOnlyList<(int[] Peers, uint Identity)> Outside => _outside;

    /// <summary>Changes whenever a class comes or goes.</summary>
    public int Version { get; private set; }

    public uint Take(EndpointClass endpoints)
    {
        _uses[endpoints] = _uses.GetValueOrDefault(endpoints) + 1;
        if (_endpoints.TryGetValue(endpoints, out uint identity))
            return identity;
        identity = _free.Count > 0 ? _free.Min : _unused++;
        _free.Remove(identity);
        _endpoints.Add(endpoints, identity);
        Version++;
        return identity;
    }

    public void Release(EndpointClass endpoints)
    {
        if (--_uses[endpoints] > 0)
            return;
        _uses.Remove(endpoints);
        _endpoints.Remove(endpoints, out uint identity);
        _free.Add(identity);
        Version++;
    }

    /// <summary>The number of the class of addresses outside that some peers have; 0 when no policy speaks of them.</summary>
    public uint OutsideOf(int[] peers) => _outsideByPeers.GetValueOrDefault(Key(peers));

    /// <summary>Numbers the classes of addresses outside.</summary>
    public uint[] NumberOutside(IEnumerable<Atoms.Atom> atoms)
    {
        List<uint> numbers = [];
        var outside = new Dictionary<uint, int[]>();
        foreach (Atoms.Atom atom in atoms)
        {
            uint number = _outsideNumbers.Of(Key(atom.Peers));
            numbers.Add(number);
            outside[number] = atom.Peers;
        }

        _outsideNumbers.EndRound();
        _outside = [.. outside.Select(o => (o.Value, o.Key))];
        _outsideByPeers = outside.ToDictionary(o => Key(o.Value), o => o.Key);
        Version++;
        return [.. numbers];
    }

    private static string Key(int[] peers) => string.Join(',', peers);
}
