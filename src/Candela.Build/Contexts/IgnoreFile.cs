using System.Text;
using System.Text.RegularExpressions;

namespace Candela.Build.Contexts;

/// <summary>What a <c>.dockerignore</c> leaves out of the context (Docker's documentation, .dockerignore file). The last pattern that matches decides.</summary>
internal sealed class IgnoreFile
{
    private const int PatternsMaximum = 10_000;

    private readonly List<(Regex Pattern, bool Includes)> _patterns = [];

    /// <summary>Reads a file; what it cannot mean is left out.</summary>
    public static IgnoreFile Parse(string content)
    {
        IgnoreFile file = new();
        foreach (string raw in content.TrimStart('\uFEFF').Split('\n'))
        {
            string line = raw.Trim();
            if (line.Length == 0 || line[0] == '#')
                continue;
            bool includes = line[0] == '!';
            string pattern = Clean(includes ? line[1..].Trim() : line);
            if (pattern.Length == 0 || file._patterns.Count == PatternsMaximum)
                continue;
            if (ToRegex(pattern) is { } regex)
                file._patterns.Add((regex, includes));
        }

        return file;
    }

    /// <summary>Whether a path, relative to the context and without a slash before it, is left out.</summary>
    public bool Excludes(string path)
    {
        bool excluded = false;
        foreach ((Regex pattern, bool includes) in _patterns)
        {
            if (excluded == includes && pattern.IsMatch(path))
                excluded = !includes;
        }

        return excluded;
    }

    private static string Clean(string pattern)
    {
        List<string> parts = [];
        foreach (string part in pattern.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && parts.Count > 0)
                parts.RemoveAt(parts.Count - 1);
            else if (part is not ("." or ".."))
                parts.Add(part);
        }

        return string.Join('/', parts);
    }

    /// <summary>A folder that matches takes all that is in it along. Null: the pattern is malformed.</summary>
    private static Regex? ToRegex(string pattern)
    {
        StringBuilder regex = new("^");
        for (int i = 0; i < pattern.Length; i++)
        {
            char c = pattern[i];
            if (c == '*' && i + 1 < pattern.Length && pattern[i + 1] == '*')
            {
                i++;
                if (i + 1 < pattern.Length && pattern[i + 1] == '/')
                {
                    i++;
                    regex.Append("(?:.*/)?");
                }
                else
                {
                    regex.Append(".*");
                }
            }
            else if (c == '*')
            {
                regex.Append("[^/]*");
            }
            else if (c == '?')
            {
                regex.Append("[^/]");
            }
            else if (c == '[' && i + 2 < pattern.Length && pattern.IndexOf(']', i + 2) is > 0 and var close)
            {
                string set = pattern[(i + 1)..close];
                regex.Append('[').Append(set[0] is '^' or '!' ? "^" : "").Append(Regex.Escape(set.TrimStart('^', '!')).Replace("]", "\\]", StringComparison.Ordinal)).Append(']');
                i = close;
            }
            else
            {
                if (c == '\\' && i + 1 < pattern.Length)
                    c = pattern[++i];
                regex.Append(Regex.Escape(c.ToString()));
            }
        }

        try
        {
            return new Regex(regex.Append("(?:/.*)?\\z").ToString(), RegexOptions.CultureInvariant | RegexOptions.NonBacktracking | RegexOptions.Singleline);
        }
        catch (ArgumentException)
        {
            return null; // for example a range whose end is before its start
        }
    }
}
