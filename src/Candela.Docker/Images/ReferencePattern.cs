using System.Text;
using System.Text.RegularExpressions;

namespace Candela.Docker.Images;

/// <summary>Shell patterns of <c>docker images</c>: <c>*</c>, <c>?</c> and <c>[…]</c> within one path component, against name or name:tag.</summary>
internal static class ReferencePattern
{
    public static bool Matches(string pattern, string reference)
    {
        var familiar = ImageNames.Familiar(pattern);
        var name = ImageNames.Split(reference.Split('@')[0]).Name;
        if (familiar == reference || familiar == name)
            return true;
        try
        {
            var expression = new Regex(Translate(familiar), RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
            return expression.IsMatch(reference) || expression.IsMatch(name);
        }
        catch (ArgumentException)
        {
            return false; // a malformed range matches nothing
        }
    }

    private static string Translate(string pattern)
    {
        var result = new StringBuilder("^");
        var inRange = false;
        foreach (var c in pattern)
        {
            _ = (c, inRange) switch
            {
                ('*', false) => result.Append("[^/]*"),
                ('?', false) => result.Append("[^/]"),
                ('[' or ']', _) => result.Append(c),
                ('-' or '^', true) => result.Append(c),
                _ => result.Append(Regex.Escape(c.ToString())),
            };
            inRange = c == '[' || inRange && c != ']';
        }

        return result.Append('$').ToString();
    }
}
