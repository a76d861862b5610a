using System.Globalization;

namespace Candela.Jailer;

/// <summary>The command line, as <see cref="Help"/> tells.</summary>
internal sealed record JailOptions
{
    /// <summary>What <c>--help</c> prints.</summary>
    public const string Help = """
        candela-jailer - starts a program in a jail; candelad starts each micro-VM's process with it

        usage: candela-jailer --root DIR --uid N --report FD [OPTION VALUE]... -- PROGRAM [ARGUMENT]...

          --root DIR     empty folder that becomes the program's private root
          --uid N        user and group id of the program, not 0
          --report FD    open descriptor that receives the program's process id and a newline
          --cgroup FILE  a cgroup.procs file to join; repeatable
          --share PATH   a file or folder that the program sees, read-only; repeatable
          --group GID    one supplementary group
          --help

        The program runs without capabilities, with no new privileges, in namespaces of its own. Needs root.
        Exit codes: 0 started, 1 could not start.

        """;

    /// <summary>Empty folder that becomes the private root.</summary>
    public required string Root { get; init; }

    /// <summary>User and group id of the program.</summary>
    public required uint UserId { get; init; }

    /// <summary>Open descriptor that receives the program's pid in the host's namespace, as decimal digits and a newline.</summary>
    public required int ReportDescriptor { get; init; }

    /// <summary><c>cgroup.procs</c> files to join.</summary>
    public required IReadOnlyList<string> Cgroups { get; init; }

    /// <summary>Files and folders of the host that the program sees, read-only, besides the libraries.</summary>
    public required IReadOnlyList<string> Shares { get; init; }

    /// <summary>Supplementary group (of a device that is shared), if any.</summary>
    public uint? Group { get; init; }

    /// <summary>Absolute path and arguments.</summary>
    public required string[] Command { get; init; }

    /// <exception cref="ArgumentException">What is wrong with the arguments.</exception>
    public static JailOptions Parse(ReadOnlySpan<string> arguments)
    {
        string? root = null;
        uint? user = null, group = null;
        int? report = null;
        var cgroups = new List<string>();
        var shares = new List<string>();
        for (int i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] == "--")
            {
                string[] command = arguments[(i + 1)..].ToArray();
                return new JailOptions
                {
                    Root = Absolute(root ?? throw new ArgumentException("--root is missing")),
                    UserId = user ?? throw new ArgumentException("--uid is missing"),
                    ReportDescriptor = report ?? throw new ArgumentException("--report is missing"),
                    Cgroups = cgroups,
                    Shares = shares,
                    Group = group,
                    Command = command.Length > 0 ? command : throw new ArgumentException("the program is missing"),
                };
            }

            if (i + 1 >= arguments.Length)
                throw new ArgumentException($"{arguments[i]} needs a value");
            string value = arguments[i + 1];
            switch (arguments[i++])
            {
                case "--root": root = value; break;
                case "--uid": user = Number(value, 1); break;
                case "--report": report = (int)Number(value, 3); break;
                case "--group": group = Number(value, 1); break;
                case "--cgroup": cgroups.Add(Absolute(value)); break;
                case "--share": shares.Add(Absolute(value)); break;
                default: throw new ArgumentException($"no such option: {arguments[i - 1]}");
            }
        }

        throw new ArgumentException("-- and the program are missing");
    }

    private static uint Number(string text, uint minimum) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint value) && value >= minimum && value < int.MaxValue
            ? value
            : throw new ArgumentException($"not a number from {minimum} on: {text}");

    private static string Absolute(string path) =>
        path.StartsWith('/') && !path.Contains("..", StringComparison.Ordinal) ? path : throw new ArgumentException($"not an absolute path: {path}");
}
