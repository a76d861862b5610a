using System.Runtime.InteropServices;

namespace Candela.Identity.Kerberos.Native;

/// <summary>Cryptography of MIT Kerberos (krb5/krb5.h of release 1.20; libk5crypto). None of these functions uses its context: it is null.</summary>
internal static unsafe partial class K5Crypto
{
    private const string Library = "libk5crypto.so.3";

    /// <summary>Makes a key of a password (RFC 3961, 3: string-to-key) with default parameters; the key's contents are malloc(3)'s.</summary>
    [LibraryImport(Library)]
    public static partial int krb5_c_string_to_key(nint context, int enctype, krb5_data* @string, krb5_data* salt, krb5_keyblock* key);

    /// <summary>Encrypts (RFC 3961, 3); the output's room is the caller's.</summary>
    [LibraryImport(Library)]
    public static partial int krb5_c_encrypt(nint context, krb5_keyblock* key, int usage, krb5_data* cipher_state, krb5_data* input, krb5_enc_data* output);

    /// <summary>Bytes of the ciphertext of so many bytes.</summary>
    [LibraryImport(Library)]
    public static partial int krb5_c_encrypt_length(nint context, int enctype, nuint inputlen, nuint* length);

    [StructLayout(LayoutKind.Sequential)]
    public struct krb5_data
    {
        public int magic;
        public uint length;
        public byte* data;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct krb5_keyblock
    {
        public int magic;
        public int enctype;
        public uint length;
        public byte* contents;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct krb5_enc_data
    {
        public int magic;
        public int enctype;
        public uint kvno;
        public krb5_data ciphertext;
    }
}
