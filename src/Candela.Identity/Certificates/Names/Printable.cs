using System.Text;

namespace Candela.Identity.Certificates.Names;

/// <summary>Shows foreign text in messages and logs: quoted, in ASCII, cut to a length.</summary>
internal static class Printable
{
    private const int Length = 80;

    public static string Of(string text)
    {
        var shown = new StringBuilder("\"", Length + 3);
        foreach (var c in text)
        {
            if (shown.Length > Length)
            {
                shown.Append('…');
                break;
            }

            if (c is >= ' ' and <= '~' and not ('"' or '\\'))
                shown.Append(c);
            else
                shown.Append($"\\u{(int)c:x4}");
        }

        return shown.Append('"').ToString();
    }
}
