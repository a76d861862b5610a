using System.Collections.Frozen;
using System.Text;

namespace Candela.Identity.Authorization;

/// <summary>Kinds and verbs as text.</summary>
internal static class PermissionText
{
    private static readonly FrozenDictionary<ResourceKind, string> Kinds = Enum.GetValues<ResourceKind>().ToFrozenDictionary(k => k, k => Kebab(k.ToString()));
    private static readonly FrozenDictionary<Verb, string> Verbs = Enum.GetValues<Verb>().ToFrozenDictionary(v => v, v => Kebab(v.ToString()));
    private static readonly FrozenDictionary<string, ResourceKind> KindsByText = Kinds.ToFrozenDictionary(k => k.Value, k => k.Key);
    private static readonly FrozenDictionary<string, Verb> VerbsByText = Verbs.ToFrozenDictionary(v => v.Value, v => v.Key);

    public static string Of(ResourceKind kind) => Kinds[kind];

    public static string Of(Verb verb) => Verbs[verb];

    public static ResourceKind? Kind(string text) => KindsByText.TryGetValue(text, out var kind) ? kind : null;

    public static Verb? Verb(string text) => VerbsByText.TryGetValue(text, out var verb) ? verb : null;

    private static string Kebab(string name)
    {
        var text = new StringBuilder();
        foreach (char c in name)
            _ = char.IsAsciiLetterUpper(c) && text.Length > 0 ? text.Append('-').Append(char.ToLowerInvariant(c)) : text.Append(char.ToLowerInvariant(c));
        return text.ToString();
    }
}
