using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Candela.Identity.Accounts;
using Candela.Identity.Kerberos.Keys;

namespace Candela.Identity.Kerberos.Kdc;

/// <summary>
/// Writes what kdb5_util(8) loads: its dump format 7 (krb5 1.20, src/kadmin/dbutil/dump.c), a line a principal. Keys are encrypted by a
/// master key that only this KDC has.
/// </summary>
internal sealed class DumpWriter(string realm, KerberosKey master, TimeSpan ticketLifetime) 
{
    private const int BaseLength = 38;
    private const int LastChangeRecord = 1, ModifierRecord = 2, PolicyRecord = 3, MasterVersionRecord = 8;
    private const int SpecialSalt = 4;
    private const uint PolicyRecordVersion = 0x12345c01, HasPolicy = 0x800, HistoryVersion = 2;

    private readonly StringBuilder _text = new("kdb5_util load_dump version 7\n");

    /// <summary>Name of a domain's policy.</summary>
    public static string PolicyName(Domain domain) => $"d-{domain.Id:N}";

    /// <summary>Adds the master key's own principal.</summary>
    public void AddMaster() => Add(new KdcPrincipal("K/M", PrincipalFlags.DisallowAllTickets | PrincipalFlags.Lockdown, null, null, 1, null, [master]));

    /// <summary>Adds a principal, or replaces it.</summary>
    public void Add(KdcPrincipal principal)
    {
        var name = $"{principal.Name}@{realm}";
        var records = new List<(int Type, byte[] Content)> { (MasterVersionRecord, [1, 0]), (ModifierRecord, [0, 0, 0, 0, .. Encoding.UTF8.GetBytes($"candela@{realm}\0")]), (LastChangeRecord, new byte[4]) };
        if (principal.Policy is not null)
            records.Add((PolicyRecord, PolicyOf(principal.Policy)));
        Append($"princ\t{BaseLength}\t{Encoding.UTF8.GetByteCount(name)}\t{records.Count}\t{principal.Keys.Length}\t0\t{name}\t{(int)principal.Flags}\t{(int)ticketLifetime.TotalSeconds}\t0\t0");
        Append($"\t{(principal.PasswordExpiresAt is { } end ? (uint)Math.Clamp(end.ToUnixTimeSeconds(), 1, uint.MaxValue) : 0)}\t0\t0\t0");
        foreach (var (type, content) in records)
            Append($"\t{type}\t{content.Length}\t{Convert.ToHexStringLower(content)}");
        foreach (var key in principal.Keys)
        {
            var encrypted = KeyMaker.Encrypt(master, key.Value);
            Append($"\t{(principal.Salt is null ? 1 : 2)}\t{principal.Version}\t{(int)key.Type}\t{sizeof(ushort) + encrypted.Length}\t{key.Value.Length & 0xff:x2}{key.Value.Length >> 8:x2}{Convert.ToHexStringLower(encrypted)}");
            if (principal.Salt is { } salt)
                Append($"\t{SpecialSalt}\t{salt.Length}\t{Convert.ToHexStringLower(Encoding.ASCII.GetBytes(salt))}");
        }

        _text.Append("\t-1;\n");
    }

    /// <summary>Adds a domain's policy about failures, which the KDC counts by itself: a brake on guessing until the count of all controllers takes effect.</summary>
    public void AddPolicy(Domain domain)
    {
        var policy = domain.PasswordPolicy;
        Append($"policy\t{PolicyName(domain)}\t0\t0\t1\t1\t1\t0\t{policy.LockoutThreshold}\t{policy.FailureWindowSeconds}\t{policy.LockoutSeconds}\t0\t0\t0\t-\t0\n");
    }

    /// <summary>The dump.</summary>
    public byte[] ToBytes() => Encoding.UTF8.GetBytes(_text.ToString());

    /// <summary>The record of a policy's name: XDR (RFC 4506) of osa_princ_ent_rec (src/lib/kdb/kdb_xdr.c).</summary>
    private static byte[] PolicyOf(string name)
    {
        int length = name.Length + 1;
        var content = new byte[sizeof(uint) * 2 + (length + 3) / 4 * 4 + sizeof(uint) * 4];
        BinaryPrimitives.WriteUInt32BigEndian(content, PolicyRecordVersion);
        BinaryPrimitives.WriteInt32BigEndian(content.AsSpan(4), length);
        Encoding.ASCII.GetBytes(name, content.AsSpan(8));
        var rest = content.AsSpan(^16..);
        BinaryPrimitives.WriteUInt32BigEndian(rest, HasPolicy);
        BinaryPrimitives.WriteUInt32BigEndian(rest[8..], HistoryVersion);
        return content;
    }

    private void Append(FormattableString text) => _text.Append(text.ToString(CultureInfo.InvariantCulture));
}
