using System.Security.Cryptography;
using Candela.Identity.Secrets;

namespace Candela.Identity.Kerberos.Keys;

/// <summary>A principal's keys as stored.</summary>
/// <param name="Version">Number of the keys (kvno); greater with each change. Stays when the keys go, so that it never comes again.</param>
/// <param name="Salt">Salt of keys that were made of a password; null: random ones.</param>
/// <param name="Sealed">The keys, sealed for the document's place in the store; null: there are none.</param>
internal sealed record KeySet(uint Version, string? Salt, byte[]? Sealed)
{
    private const int HeaderBytes = 2;

    /// <summary>Keys for a place in the store.</summary>
    /// <param name="former">Keys before; null: none ever.</param>
    /// <param name="salt">Salt of keys of a password.</param>
    /// <param name="keys">Keys; null: none.</param>
    /// <param name="place">Key of the document.</param>
    /// <param name="secrets">Seals them.</param>
    public static KeySet Next(KeySet? former, string? salt, KerberosKey[]? keys, string place, ISecretBox secrets)
    {
        if (keys is null)
            return new KeySet(former?.Version ?? 0, null, null);
        byte[] text = [.. keys.SelectMany(key => (byte[])[(byte)key.Type, (byte)key.Value.Length, .. key.Value])];
        try
        {
            return new KeySet((former?.Version ?? 0) + 1, salt, secrets.Seal(text, Place(place)));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }

    /// <summary>The keys; none when there are none.</summary>
    /// <exception cref="CryptographicException">They do not belong here, or the master key is missing.</exception>
    public KerberosKey[] Open(string place, ISecretBox secrets)
    {
        if (Sealed is null)
            return [];
        var text = secrets.Open(Sealed, Place(place));
        var keys = new List<KerberosKey>();
        for (int at = 0; at < text.Length; at += HeaderBytes + text[at + 1])
            keys.Add(new KerberosKey((KeyType)text[at], text[(at + HeaderBytes)..(at + HeaderBytes + text[at + 1])]));
        CryptographicOperations.ZeroMemory(text);
        return [.. keys];
    }

    private static string Place(string key) => key + "#kerberos";
}
