using System.Net;
using Candela.Model;
using Candela.Network.Firewall;

namespace Candela.Network.Addressing;

/// <summary>
/// The addresses of one network: each is given once, and one that came back rests before it is given again, so that nobody who still
/// remembers its old holder (a cache of names, an open connection) reaches the new one. Of free addresses those never given come first,
/// then the one that rests longest.
/// </summary>
/// <remarks>Not for several threads at once.</remarks>
public sealed class AddressPool
{
    /// <summary>How long an address rests at least.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _clock;
    private readonly UInt128 _first, _last;
    private readonly bool _isIpv6;
    private readonly HashSet<UInt128> _given = [];
    private readonly Dictionary<UInt128, DateTimeOffset> _resting = [];
    private readonly Queue<(UInt128 Address, DateTimeOffset Since)> _queue = [];
    private UInt128 _next;

    /// <param name="network">The segment's network.</param>
    /// <param name="range">The part of it to give from; null for all.</param>
    /// <param name="reserved">Addresses that are never given: the gateway's.</param>
    /// <param name="clock">The time.</param>
    public AddressPool(IPNetwork network, IPNetwork? range, IEnumerable<IPAddress> reserved, TimeProvider clock)
    {
        _clock = clock;
        (Network, AddressRange all, AddressRange part) = (network, AddressRange.Of(network), AddressRange.Of(range ?? network));
        _isIpv6 = all.IsIpv6;
        // Neither the network's own address nor the broadcast address; for IPv6 the first is the routers' anycast (RFC 4291, 2.6.1).
        _first = UInt128.Max(part.First, all.First + 1);
        _last = UInt128.Min(part.Last, all.Last - 1);
        _next = _first;
        foreach (IPAddress address in reserved)
            _given.Add(AddressRange.Number(address));
    }

    /// <summary>The network.</summary>
    public IPNetwork Network { get; }

    /// <summary>Gives an address.</summary>
    /// <exception cref="CandelaException">None is free; the message says when one will be.</exception>
    public IPAddress Take()
    {
        while (_next <= _last)
        {
            UInt128 candidate = _next++;
            if (!_resting.ContainsKey(candidate) && _given.Add(candidate))
                return Address(candidate);
        }

        while (_queue.TryPeek(out (UInt128 Address, DateTimeOffset Since) oldest))
        {
            // What was asked for by number meanwhile no longer rests.
            if (!_resting.TryGetValue(oldest.Address, out DateTimeOffset since) || since != oldest.Since)
            {
                _queue.Dequeue();
                continue;
            }

            TimeSpan left = since + Rest - _clock.GetUtcNow();
            if (left > TimeSpan.Zero)
                throw Exhausted($"; one is free again in {Math.Ceiling(left.TotalSeconds)} s");
            _queue.Dequeue();
            _resting.Remove(oldest.Address);
            _given.Add(oldest.Address);
            return Address(oldest.Address);
        }

        throw Exhausted("");
    }

    /// <summary>Gives the address that was asked for, also while it rests: who asks for one by number knows its past.</summary>
    /// <exception cref="CandelaException">It is not of the network, or in use.</exception>
    public void Take(IPAddress address)
    {
        AddressRange all = AddressRange.Of(Network);
        UInt128 number = AddressRange.Number(address);
        if (!Network.Contains(address) || number == all.First || (!_isIpv6 && number == all.Last))
            throw new CandelaException(ErrorCode.InvalidArgument, $"{address} is no address for a container in {Network}");
        if (!_given.Add(number))
            throw new CandelaException(ErrorCode.Conflict, $"address {address} is already in use: choose another, or none to be given a free one");
        _resting.Remove(number);
    }

    /// <summary>Takes an address back; one that was not given is no error.</summary>
    public void Return(IPAddress address)
    {
        UInt128 number = AddressRange.Number(address);
        if (!_given.Remove(number))
            return;
        DateTimeOffset now = _clock.GetUtcNow();
        _resting[number] = now;
        if (number >= _first && number <= _last)
            _queue.Enqueue((number, now));
    }

    private IPAddress Address(UInt128 number) => new(AddressRange.Bytes(number, _isIpv6));

    private CandelaException Exhausted(string when) => new(ErrorCode.ResourceExhausted,
        $"all {_last - _first + 1} addresses of {Network} are in use{when}: remove containers or use a larger subnet");
}
