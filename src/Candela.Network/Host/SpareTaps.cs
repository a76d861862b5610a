using System.Security.Cryptography;
using Candela.Network.Namespaces;
using Candela.Network.Netlink;
using Microsoft.Win32.SafeHandles;

namespace Candela.Network.Host;

/// <summary>
/// Taps that were made ahead for VMMs that wait for a claim, connected to nothing. They are in the namespace of the project that last
/// connected one, where the next is likely to be wanted: within a namespace a tap is connected in a millisecond, to move it takes 10 to 30.
/// </summary>
internal sealed class SpareTaps : IDisposable
{
    private const int NameBytes = 5;
    private readonly Lock _gate = new();
    private readonly NetworkNamespace _pool = NetworkNamespace.CreateAnonymous();
    private readonly Dictionary<string, NetworkNamespace> _taps = [];
    private NetworkNamespace? _home;

    public (string Name, SafeFileHandle Descriptor) Create()
    {
        string name = "s-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(NameBytes));
        lock (_gate)
        {
            NetworkNamespace space = _home ?? _pool;
            SafeFileHandle descriptor = TapDevice.Create(space, name);
            Forget();
            _taps.Add(name, space);
            return (name, descriptor);
        }
    }

    /// <summary>Connects a spare tap, and makes the next ones where this one went.</summary>
    /// <returns>False when there is none of that name.</returns>
    public bool Connect(string name, ProjectNetwork network, string portId)
    {
        lock (_gate)
        {
            if (!_taps.Remove(name, out NetworkNamespace? space))
                return false;
            network.AdoptLink(portId, space, name);
            _home = network.Namespace;
            return true;
        }
    }

    /// <summary>Takes spare taps out of a namespace that is about to go.</summary>
    public void Leave(NetworkNamespace space)
    {
        lock (_gate)
        {
            _home = _home == space ? null : _home;
            string[] names = [.. _taps.Where(t => t.Value == space).Select(t => t.Key)];
            if (names.Length == 0)
                return;
            using var route = new RouteSocket(space);
            foreach (string name in names)
            {
                _taps.Remove(name);
                if (route.FindLink(name) is not { } link)
                    continue;
                route.Execute(b => b.SetLink(link.Index, $"move link {name}", space: _pool));
                _taps.Add(name, _pool);
            }
        }
    }

    public void Dispose() => _pool.Dispose();

    // Taps of VMMs that ended while they waited are gone.
    private void Forget()
    {
        const int many = 256;
        if (_taps.Count < many)
            return;
        foreach (NetworkNamespace space in _taps.Values.Distinct().ToArray())
        {
            using var route = new RouteSocket(space);
            var links = route.Links().Select(l => l.Name).ToHashSet();
            foreach (string name in _taps.Where(t => t.Value == space && !links.Contains(t.Key)).Select(t => t.Key).ToArray())
                _taps.Remove(name);
        }
    }
}
