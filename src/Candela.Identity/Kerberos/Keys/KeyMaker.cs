using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Candela.Identity.Kerberos.Native;

namespace Candela.Identity.Kerberos.Keys;

/// <summary>Makes keys, of passwords and at random, and encrypts with them, all by MIT Kerberos' own library.</summary>
internal static unsafe class KeyMaker
{
    private const int KeyBytes = 32;
    private const int SaltBytes = 16;

    /// <summary>Types of the keys of a principal, the one that is preferred first.</summary>
    public static readonly KeyType[] Types = [KeyType.Aes256Sha384, KeyType.Aes256Sha1];

    /// <summary>A salt of its own for every password: it stays when an account is renamed, and equal passwords have different keys.</summary>
    public static string MakeSalt() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SaltBytes));

    /// <summary>Keys of a password (RFC 3962, 4; RFC 8009, 4); takes some 50 ms.</summary>
    public static KerberosKey[] OfPassword(string password, string salt) => [.. Types.Select(type => new KerberosKey(type, OfPassword(type, password, salt)))];

    /// <summary>Keys that nobody knows: for AES, random bytes are a key (RFC 3962, 6; RFC 8009, 5).</summary>
    public static KerberosKey[] MakeRandom() => [.. Types.Select(type => new KerberosKey(type, RandomNumberGenerator.GetBytes(KeyBytes)))];

    /// <summary>Encrypts with key usage 0, as the KDC's database does.</summary>
    public static byte[] Encrypt(KerberosKey key, ReadOnlySpan<byte> text)
    {
        nuint length;
        Check(K5Crypto.krb5_c_encrypt_length(0, (int)key.Type, (nuint)text.Length, &length));
        var output = new byte[length];
        fixed (byte* keyBytes = key.Value, textBytes = text, outputBytes = output)
        {
            var block = new K5Crypto.krb5_keyblock { enctype = (int)key.Type, length = (uint)key.Value.Length, contents = keyBytes };
            var input = new K5Crypto.krb5_data { length = (uint)text.Length, data = textBytes };
            var encrypted = new K5Crypto.krb5_enc_data { ciphertext = new K5Crypto.krb5_data { length = (uint)output.Length, data = outputBytes } };
            Check(K5Crypto.krb5_c_encrypt(0, &block, 0, null, &input, &encrypted));
        }

        return output;
    }

    private static byte[] OfPassword(KeyType type, string password, string salt)
    {
        byte[] text = Encoding.UTF8.GetBytes(password), saltText = Encoding.UTF8.GetBytes(salt);
        try
        {
            fixed (byte* textBytes = text, saltBytes = saltText)
            {
                var block = new K5Crypto.krb5_keyblock();
                var input = new K5Crypto.krb5_data { length = (uint)text.Length, data = textBytes };
                var saltData = new K5Crypto.krb5_data { length = (uint)saltText.Length, data = saltBytes };
                Check(K5Crypto.krb5_c_string_to_key(0, (int)type, &input, &saltData, &block));
                var made = new Span<byte>(block.contents, (int)block.length);
                var key = made.ToArray();
                CryptographicOperations.ZeroMemory(made);
                NativeMemory.Free(block.contents);
                return key;
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }

    private static void Check(int error)
    {
        if (error != 0)
            throw new CryptographicException($"libk5crypto refuses with error {error}");
    }
}
