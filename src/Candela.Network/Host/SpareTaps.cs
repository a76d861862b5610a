using System.Security.Cryptography;
using Candela.Network.Namespaces;
using Candela.Network.Native;
using Candela.Network.Netlink;
using Microsoft.Win32.SafeHandles;

namespace Candela.Network.Host;

/// <summary>
/// Taps that are connected to nothing: of VMMs that wait for a claim, and of cards that their container does not use. Those that are
/// likely to be wanted next are in the namespace of the project that last connected one: within a namespace a tap is connected in a
/// millisecond, to move it takes 10 to 30. The others are in a namespace of their own, which outlives the daemon as their VMMs do.
/// </summary>
internal sealed class SpareTaps(string path) : IDisposable
{
    private const int NameBytes = 5;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, NetworkNamespace> _taps = [];
    private NetworkNamespace? _pool = NetworkNamespace.TryOpenAt(path);
    private NetworkNamespace? _home;

    /// <summary>Makes one.</summary>
    /// <param name="isWantedSoon">It is put where the last one was connected.</param>
    public (string Name, SafeFileHandle Descriptor) Create(bool isWantedSoon)
    {
        string name = "s-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(NameBytes));
        lock (_gate)
        {
            NetworkNamespace space = (isWantedSoon ? _home : null) ?? Pool();
            SafeFileHandle descriptor = TapDevice.Create(space, name);
            Forget();
            _taps.Add(name, space);
            return (name, descriptor);
        }
    }

    /// <summary>Connects a spare tap.</summary>
    /// <param name="name">The tap.</param>
    /// <param name="network">Where the port is.</param>
    /// <param name="portId">The port.</param>
    /// <param name="isTypical">The next taps are made where this one goes.</param>
    /// <returns>False when there is none of that name.</returns>
    public bool Connect(string name, ProjectNetwork network, string portId, bool isTypical)
    {
        lock (_gate)
        {
            // Those of an earlier daemon are in the pool.
            if (!_taps.Remove(name, out NetworkNamespace? space) && !IsInPool(name))
                return false;
            network.AdoptLink(portId, space ?? Pool(), name);
            if (isTypical)
                _home = network.Namespace;
            return true;
        }
    }

    /// <summary>Takes a port's tap, which is spare again.</summary>
    public void Release(string name, ProjectNetwork network, string portId)
    {
        lock (_gate)
        {
            if (network.ReleaseLink(portId, Pool(), name))
                _taps[name] = Pool();
        }
    }

    /// <summary>Puts spare taps where they outlive the daemon, for a VMM that does.</summary>
    public void Keep(IEnumerable<string> names)
    {
        lock (_gate)
            Move([.. names.Where(n => _taps.TryGetValue(n, out NetworkNamespace? space) && space != _pool)]);
    }

    /// <summary>Takes spare taps out of a namespace that is about to go.</summary>
    public void Leave(NetworkNamespace space)
    {
        lock (_gate)
        {
            _home = _home == space ? null : _home;
            Move([.. _taps.Where(t => t.Value == space).Select(t => t.Key)]);
        }
    }

    /// <summary>Ends the pool, unless a VMM has taps in it.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_pool is null)
                return;
            bool isUsed;
            using (var route = new RouteSocket(_pool))
                isUsed = route.Links().Any(l => l.Kind == "tun");
            _pool.Dispose();
            _pool = null;
            if (!isUsed)
                NetworkNamespace.DeleteAt(path);
        }
    }

    private NetworkNamespace Pool()
    {
        if (_pool is not null)
            return _pool;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        NetworkNamespace.DeleteAt(path); // left by a reboot
        return _pool = NetworkNamespace.CreateAt(path);
    }

    private bool IsInPool(string name)
    {
        if (_pool is null)
            return false;
        using var route = new RouteSocket(_pool);
        return route.FindLink(name) is not null;
    }

    private void Move(string[] names)
    {
        foreach (IGrouping<NetworkNamespace, string> group in names.GroupBy(n => _taps[n]))
        {
            using var route = new RouteSocket(group.Key);
            foreach (string name in group)
            {
                _taps.Remove(name);
                if (route.FindLink(name) is not { } link)
                    continue;
                try
                {
                    route.Execute(b => b.SetLink(link.Index, $"move link {name}", space: Pool()));
                    _taps.Add(name, Pool());
                }
                catch (NetlinkException e) when (e.Errno == Libc.ENODEV)
                {
                    // Its VMM has just ended.
                }
            }
        }
    }

    // Taps of VMMs that have ended are gone.
    private void Forget()
    {
        const int many = 1024;
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
