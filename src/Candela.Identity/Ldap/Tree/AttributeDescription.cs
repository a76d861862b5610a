using System.Buffers;
using Candela.Identity.Ldap.Schema;

namespace Candela.Identity.Ldap.Tree;

/// <summary>An attribute type with options (RFC 4512, 2.5): stands for itself, what is a special case of it, and what has further options.</summary>
/// <param name="Type">Type.</param>
/// <param name="Options">Options in lower case.</param>
internal sealed record AttributeDescription(AttributeType Type, IReadOnlyList<string> Options)
{
    private static readonly SearchValues<char> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.;");

    /// <summary>Reads one; a type that is not in the schema counts as a text.</summary>
    /// <returns>Null: malformed.</returns>
    public static AttributeDescription? Parse(string text)
    {
        if (text.Length is 0 or > Accounts.AccountLimits.NameLength || text.AsSpan().ContainsAnyExcept(Allowed))
            return null;
        var parts = text.Split(';');
        if (parts.Any(part => part.Length == 0) || !(char.IsAsciiLetter(parts[0][0]) || char.IsAsciiDigit(parts[0][0])))
            return null;
        return new AttributeDescription(
            LdapSchema.FindAttribute(parts[0]) ?? AttributeType.Unknown(parts[0]),
            parts.Length == 1 ? [] : [.. parts[1..].Select(option => option.ToLowerInvariant())]);
    }

    /// <summary>A further attribute is meant, too.</summary>
    /// <param name="key">Name that it is stored under: a type's key, and options.</param>
    public bool Covers(string key)
    {
        int end = key.IndexOf(';', StringComparison.Ordinal);
        var type = end < 0 ? key.AsSpan() : key.AsSpan(0, end);
        foreach (var covered in Type.WithSubtypes)
        {
            if (type.SequenceEqual(covered.Key))
                return Options.Count == 0 || (end >= 0 && Options.All(key[(end + 1)..].Split(';').Contains));
        }

        return false;
    }
}
