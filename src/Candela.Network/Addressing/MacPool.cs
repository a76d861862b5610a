using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Candela.Network.Addressing;

/// <summary>Gives MACs at random from 02:cd:…, a locally administered range: 2^32 are enough never to give one twice soon.</summary>
/// <remarks>Not for several threads at once.</remarks>
public sealed class MacPool
{
    private const ulong Prefix = 0x02cd_0000_0000;
    private readonly HashSet<MacAddress> _given = [];

    /// <summary>The MAC of the range that always goes with a text.</summary>
    public static MacAddress Of(string text) => new(Prefix | BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text))));

    /// <summary>Gives a MAC that no other port has.</summary>
    public MacAddress Take()
    {
        while (true)
        {
            var mac = new MacAddress(Prefix | (uint)RandomNumberGenerator.GetInt32(int.MinValue, int.MaxValue));
            if (_given.Add(mac))
                return mac;
        }
    }

    /// <summary>Notes one that was given before, by a record.</summary>
    /// <returns>False when it is in use.</returns>
    public bool Take(MacAddress mac) => _given.Add(mac);

    /// <summary>Takes one back.</summary>
    public void Return(MacAddress mac) => _given.Remove(mac);
}
