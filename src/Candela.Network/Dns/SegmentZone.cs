using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Candela.Network.Plan;

namespace Candela.Network.Dns;

/// <summary>The names of one segment: what its containers may ask for, and nothing else.</summary>
internal sealed class SegmentZone
{
    private const string Reverse4 = ".in-addr.arpa", Reverse6 = ".ip6.arpa";
    private readonly FrozenDictionary<string, (IPAddress[] Ipv4, IPAddress[] Ipv6)> _names;
    private readonly FrozenDictionary<IPAddress, string> _addresses;
    private readonly SegmentSpec _segment;
    private uint _turn;

    public SegmentZone(SegmentSpec segment, IEnumerable<PortSpec> ports)
    {
        _segment = segment;
        var names = new Dictionary<string, (List<IPAddress> Ipv4, List<IPAddress> Ipv6)>();
        var addresses = new Dictionary<IPAddress, string>();
        foreach (PortSpec port in ports.OrderBy(p => p.Id, StringComparer.Ordinal))
        {
            foreach (string name in port.Names)
            {
                string key = name.ToLowerInvariant();
                if (!names.TryGetValue(key, out (List<IPAddress> Ipv4, List<IPAddress> Ipv6) entry))
                    names.Add(key, entry = ([], []));
                if (port.Ipv4 is { } ipv4)
                    entry.Ipv4.Add(ipv4);
                if (port.Ipv6 is { } ipv6)
                    entry.Ipv6.Add(ipv6);
            }

            foreach (IPAddress address in port.Names.IsEmpty ? [] : port.Addresses)
                addresses[address] = port.Names[0];
        }

        _names = names.ToFrozenDictionary(n => n.Key, n => (n.Value.Ipv4.ToArray(), n.Value.Ipv6.ToArray()));
        _addresses = addresses.ToFrozenDictionary();
    }

    /// <summary>The question is about a name or an address of the segment.</summary>
    public bool Knows(DnsQuery query) => _names.ContainsKey(query.Name) || (query.Type == DnsType.Ptr && AddressOf(query.Name) is { } address && IsOurs(address));

    /// <summary>Answers what is the segment's; null for what somebody else has to be asked.</summary>
    public byte[]? Answer(DnsQuery query, uint ttlSeconds)
    {
        if (_names.TryGetValue(query.Name, out (IPAddress[] Ipv4, IPAddress[] Ipv6) entry))
        {
            IPAddress[] addresses = query.Type switch
            {
                DnsType.A => entry.Ipv4,
                DnsType.Aaaa => entry.Ipv6,
                _ => [],
            };
            return DnsMessage.Answer(query, Turn(addresses), ttlSeconds);
        }

        if (query.Type == DnsType.Ptr && AddressOf(query.Name) is { } address && IsOurs(address))
            return _addresses.TryGetValue(address, out string? name) ? DnsMessage.Answer(query, name, ttlSeconds) : DnsMessage.Empty(query, DnsCode.NameError);
        // Names of one label are nobody's outside.
        return query.Name.Contains('.', StringComparison.Ordinal) ? null : DnsMessage.Empty(query, DnsCode.NameError);
    }

    private IPAddress[] Turn(IPAddress[] addresses)
    {
        if (addresses.Length < 2)
            return addresses;
        int first = (int)(Interlocked.Increment(ref _turn) % (uint)addresses.Length);
        return [.. addresses[first..], .. addresses[..first]];
    }

    private bool IsOurs(IPAddress address) => (address.AddressFamily == AddressFamily.InterNetwork ? _segment.Ipv4 : _segment.Ipv6)?.Contains(address) == true;

    private static IPAddress? AddressOf(string name)
    {
        if (name.EndsWith(Reverse4, StringComparison.Ordinal))
        {
            string[] octets = name[..^Reverse4.Length].Split('.');
            return octets.Length == 4 && IPAddress.TryParse(string.Join('.', octets.Reverse()), out IPAddress? address) ? address : null;
        }

        if (!name.EndsWith(Reverse6, StringComparison.Ordinal))
            return null;
        string[] digits = name[..^Reverse6.Length].Split('.');
        if (digits.Length != 32 || digits.Any(d => d.Length != 1 || !char.IsAsciiHexDigit(d[0])))
            return null;
        byte[] bytes = new byte[16];
        for (int i = 0; i < 16; i++)
            bytes[15 - i] = byte.Parse(digits[(2 * i) + 1] + digits[2 * i], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        return new IPAddress(bytes);
    }
}
