using System.Text;
using System.Text.RegularExpressions;

namespace Candela.Build.Dockerfiles;

/// <summary>
/// Reads Dockerfiles (Docker's Dockerfile reference): parser directives, comments, continued lines, flags, here-documents. What the
/// instructions mean is not looked at.
/// </summary>
internal static partial class DockerfileParser
{
    /// <summary>Largest Dockerfile, bytes.</summary>
    public const int BytesMaximum = 1 << 20;

    private const int InstructionsMaximum = 1000;

    private static readonly HashSet<string> _keywords =
    [
        "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL",
        "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
    ];

    private static readonly HashSet<string> _withFlags = ["ADD", "COPY", "FROM", "HEALTHCHECK", "RUN"];

    private static readonly HashSet<string> _withHeredocs = ["ADD", "COPY", "RUN"];

    /// <summary>Reads a file.</summary>
    /// <exception cref="Model.CandelaException">InvalidArgument, with the line.</exception>
    public static Dockerfile Parse(ReadOnlySpan<byte> content)
    {
        if (content.Length > BytesMaximum)
            throw DockerfileException.Invalid($"the Dockerfile has {content.Length} bytes; at most {BytesMaximum} are accepted");
        string text = Encoding.UTF8.GetString(content).TrimStart('\uFEFF').Replace("\0", "", StringComparison.Ordinal);
        string[] lines = [.. text.Split('\n').Select(static line => line.TrimEnd('\r'))];
        char escape = ReadDirectives(lines);
        List<Instruction> instructions = [];
        for (int i = 0; i < lines.Length;)
        {
            if (IsSkipped(lines[i]))
            {
                i++;
                continue;
            }

            int first = i;
            string joined = ReadContinued(lines, ref i, escape);
            if (joined.Trim().Length == 0)
                continue;
            instructions.Add(ReadInstruction(joined.Trim(), first + 1, lines, ref i));
            if (instructions.Count > InstructionsMaximum)
                throw DockerfileException.Invalid($"the Dockerfile has more than {InstructionsMaximum} instructions");
        }

        return instructions.Count > 0 ? new Dockerfile(instructions, escape) : throw DockerfileException.Invalid("file with no instructions");
    }

    /// <summary>One instruction in a line of its own, as ONBUILD and <c>--change</c> have it.</summary>
    public static Instruction ParseLine(string line, int number = 1)
    {
        int next = 0;
        return ReadInstruction(line.Trim(), number, [], ref next);
    }

    /// <summary>Directives are comments of the form <c># name=value</c> before everything else. Only <c>escape</c> means something here.</summary>
    private static char ReadDirectives(string[] lines)
    {
        char escape = '\\';
        HashSet<string> seen = [];
        for (int i = 0; i < lines.Length && DirectivePattern().Match(lines[i]) is { Success: true } match; i++)
        {
            string name = match.Groups[1].Value.ToLowerInvariant();
            if (name is not ("escape" or "syntax" or "check"))
                break;
            if (!seen.Add(name))
                throw DockerfileException.Syntax(i + 1, $"only one {name} parser directive can be used");
            if (name != "escape")
                continue;
            escape = match.Groups[2].Value is "`" or "\\" ? match.Groups[2].Value[0]
                : throw DockerfileException.Syntax(i + 1, $"invalid ESCAPE '{DockerfileException.Shorten(match.Groups[2].Value)}'. Must be ` or \\");
        }

        return escape;
    }

    private static string ReadContinued(string[] lines, ref int i, char escape)
    {
        StringBuilder joined = new();
        while (i < lines.Length)
        {
            string line = lines[i++];
            if (joined.Length > 0 && IsSkipped(line))
                continue; // comments and empty lines between continued ones
            string trimmed = line.TrimEnd(' ', '\t');
            if (!trimmed.EndsWith(escape))
            {
                joined.Append(joined.Length == 0 ? line.TrimStart() : line);
                break;
            }

            joined.Append(joined.Length == 0 ? trimmed.TrimStart()[..^1] : trimmed[..^1]);
            if (joined.Length == 0)
                joined.Append(' ');
        }

        return joined.ToString();
    }

    private static Instruction ReadInstruction(string text, int line, string[] lines, ref int next)
    {
        int end = text.AsSpan().IndexOfAny(' ', '\t');
        string keyword = (end < 0 ? text : text[..end]).ToUpperInvariant();
        if (!_keywords.Contains(keyword))
            throw DockerfileException.Syntax(line, $"unknown instruction: {DockerfileException.Shorten(keyword)}");
        string rest = end < 0 ? "" : text[end..].Trim();
        List<(string, string)> flags = [];
        if (_withFlags.Contains(keyword))
            rest = ReadFlags(rest, flags);
        if (rest.Length == 0 && keyword != "RUN" && !(keyword is "CMD" or "ENTRYPOINT"))
            throw DockerfileException.Syntax(line, $"{keyword} requires at least one argument");
        List<Heredoc> heredocs = [];
        if (_withHeredocs.Contains(keyword) && lines.Length > 0)
        {
            foreach (Match match in HeredocPattern().Matches(rest))
                heredocs.Add(ReadHeredoc(match, line, lines, ref next));
        }

        return new Instruction { Line = line, Keyword = keyword, Text = text, Arguments = rest, Flags = flags, Heredocs = heredocs };
    }

    private static string ReadFlags(string rest, List<(string, string)> flags)
    {
        while (rest.StartsWith("--", StringComparison.Ordinal))
        {
            int end = rest.AsSpan().IndexOfAny(' ', '\t');
            string flag = end < 0 ? rest : rest[..end];
            rest = end < 0 ? "" : rest[end..].TrimStart();
            if (flag == "--")
                break;
            int equals = flag.IndexOf('=', StringComparison.Ordinal);
            flags.Add(equals < 0 ? (flag[2..], "true") : (flag[2..equals], flag[(equals + 1)..]));
        }

        return rest;
    }

    private static Heredoc ReadHeredoc(Match match, int line, string[] lines, ref int next)
    {
        string quoted = match.Groups["name"].Value;
        string name = quoted.Trim('"', '\'');
        bool stripsTabs = match.Groups["dash"].Success;
        StringBuilder content = new();
        while (next < lines.Length)
        {
            string one = stripsTabs ? lines[next].TrimStart('\t') : lines[next];
            next++;
            if (one == name)
                return new Heredoc(name, content.ToString(), Expands: quoted == name);
            content.Append(one).Append('\n');
        }

        throw DockerfileException.Syntax(line, $"unterminated heredoc {DockerfileException.Shorten(name)}");
    }

    private static bool IsSkipped(string line)
    {
        string trimmed = line.TrimStart();
        return trimmed.Length == 0 || trimmed[0] == '#';
    }

    [GeneratedRegex(@"^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$", RegexOptions.CultureInvariant)]
    private static partial Regex DirectivePattern();

    [GeneratedRegex("""(?<![<0-9])(?<fd>[0-9]*)<<(?<dash>-)?(?<name>"[a-zA-Z_][a-zA-Z0-9_.]*"|'[a-zA-Z_][a-zA-Z0-9_.]*'|[a-zA-Z_][a-zA-Z0-9_.]*)""", RegexOptions.CultureInvariant)]
    private static partial Regex HeredocPattern();
}
