using System.Security.Cryptography;

namespace Candela.Identity.OpenIdConnect.Grants;

/// <summary>Codes that people type from one device into another (RFC 8628, section 6.1): no vowels, hence no words, and no digits.</summary>
internal static class UserCodes
{
    private const string Alphabet = "BCDFGHJKLMNPQRSTVWXZ";
    private const int Length = 8;

    /// <summary>A new one, such as <c>WDJB-MJHT</c>: 34 random bits, good for minutes, and tried by signed-in people only.</summary>
    public static string New()
    {
        var code = RandomNumberGenerator.GetString(Alphabet, Length);
        return $"{code[..4]}-{code[4..]}";
    }

    /// <summary>As it is kept, from what somebody has typed; null: it is none.</summary>
    public static string? Read(string text)
    {
        if (text.Length > 32)
            return null;
        string code = string.Concat(text.ToUpperInvariant().Where(c => c is not (' ' or '-')));
        return code.Length == Length && code.All(c => Alphabet.Contains(c, StringComparison.Ordinal)) ? $"{code[..4]}-{code[4..]}" : null;
    }
}
