using System.Buffers.Binary;
using System.Text;

namespace Candela.Identity.Kerberos.Keys;

/// <summary>A key in a keytab.</summary>
/// <param name="Realm">Realm.</param>
/// <param name="Parts">Parts of the principal's name.</param>
/// <param name="Version">Number of the key (kvno).</param>
/// <param name="Key">The key.</param>
internal sealed record KeytabEntry(string Realm, string[] Parts, uint Version, KerberosKey Key);

/// <summary>Keytab files, version 0x502 (https://web.mit.edu/kerberos/krb5-latest/doc/formats/keytab_file_format.html).</summary>
internal static class Keytab
{
    private const int NameTypePrincipal = 1;

    /// <summary>A keytab's content.</summary>
    public static byte[] Write(IEnumerable<KeytabEntry> entries)
    {
        var file = new MemoryStream();
        file.Write([5, 2]);
        foreach (var entry in entries)
        {
            var record = new MemoryStream();
            WriteInt16(record, entry.Parts.Length);
            WriteText(record, entry.Realm);
            foreach (var part in entry.Parts)
                WriteText(record, part);
            WriteInt32(record, NameTypePrincipal);
            WriteInt32(record, 0); // when it was written: says nothing to anyone
            record.WriteByte((byte)entry.Version);
            WriteInt16(record, (int)entry.Key.Type);
            WriteInt16(record, entry.Key.Value.Length);
            record.Write(entry.Key.Value);
            WriteInt32(record, (int)entry.Version);
            WriteInt32(file, (int)record.Length);
            record.WriteTo(file);
        }

        return file.ToArray();
    }

    private static void WriteText(MemoryStream file, string text)
    {
        WriteInt16(file, Encoding.UTF8.GetByteCount(text));
        file.Write(Encoding.UTF8.GetBytes(text));
    }

    private static void WriteInt16(MemoryStream file, int value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, checked((ushort)value));
        file.Write(bytes);
    }

    private static void WriteInt32(MemoryStream file, int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        file.Write(bytes);
    }
}
