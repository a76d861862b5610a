using Candela.Cli.CommandLine;

namespace Candela.Cli.Daemon;

/// <summary>What the daemon is started with, as <c>candela up</c> takes it.</summary>
internal sealed class DaemonSettings
{
    public const string DefaultStateFolder = "/var/lib/candela";

    /// <summary>Options of the daemon that <c>up</c> hands on under the same names (<c>candelad --help</c>).</summary>
    public static readonly IReadOnlyList<Option> Options =
    [
        new("store", "Records on an etcd cluster: etcd://HOST[:PORT][,...][/PREFIX] (default: a SQLite file in the state folder)") { Value = "ADDRESS" },
        new("https", "HTTPS: sign-in, REST API, certificates, ACME (default none)") { Value = "ADDRESS:PORT" },
        new("docker-tls", "Docker by TCP, with client certificates of Candela (default none)") { Value = "ADDRESS:PORT" },
        new("ldap", "LDAP with StartTLS (default none)") { Value = "ADDRESS:PORT" },
        new("ldaps", "LDAP over TLS (default none)") { Value = "ADDRESS:PORT" },
        new("kerberos", "Kerberos KDC of a realm (default none)") { Value = "REALM" },
        new("kdc", "Where the KDC listens (default 88)") { Value = "ADDRESS:PORT" },
        new("host-name", "Name or address by which clients reach this host; repeatable") { Value = "NAME", Repeatable = true },
        new("public-url", "How clients reach HTTPS (default https://HOST-NAME:PORT)") { Value = "URL" },
        new("https-certificate", "Certificate and chain of HTTPS, PEM (default: Candela issues one)") { Value = "FILE", Completes = Completes.Files },
        new("https-key", "The key of that, PEM") { Value = "FILE", Completes = Completes.Files },
        new("memory", "Memory of a container without a limit, MiB (default 512)") { Value = "MIB" },
        new("scratch-size", "Writable disk of a container, GiB (default 10)") { Value = "GIB" },
        new("waiting", "VMM processes that wait for a claim (default 4)") { Value = "COUNT" },
        new("default-network", "For containers that name none (default bridge, where the host has what it needs)") { Value = "NAME", Completes = Completes.Words, Words = ["bridge", "none"] },
        new("insecure-registry", "A registry that may be reached without trusted TLS; repeatable") { Value = "HOST", Repeatable = true },
        new("group", "Group that may use the sockets (default candela)") { Value = "NAME" },
        new("log-level", "Least level that is logged (default information)") { Value = "LEVEL", Completes = Completes.Words, Words = ["trace", "debug", "information", "warning", "error"] },
    ];

    private static readonly string[] Files = ["https-certificate", "https-key"];

    private readonly Dictionary<string, IReadOnlyList<string>> given;
    private readonly string runFolder;

    private DaemonSettings(Dictionary<string, IReadOnlyList<string>> given, string runFolder) => (this.given, this.runFolder) = (given, runFolder);

    /// <summary>Nothing is asked for but a daemon.</summary>
    public bool IsEmpty => given.Count == 0;

    /// <summary>The daemon's arguments.</summary>
    public IReadOnlyList<string> CommandLine
    {
        get
        {
            List<string> arguments = ["--state", given.TryGetValue("state", out var state) ? state[0] : DefaultStateFolder, "--run", runFolder];
            foreach (var (name, values) in given)
            {
                if (name != "state")
                    arguments.AddRange(values.SelectMany(value => (string[])["--" + name, value]));
            }
            return arguments;
        }
    }

    /// <summary>As a command line says.</summary>
    /// <param name="invocation">Command line of <c>up</c>.</param>
    /// <param name="runFolder">Folder of the sockets.</param>
    public static DaemonSettings Of(Invocation invocation, string runFolder)
    {
        var given = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        if (invocation.Value("state") is { } folder)
            given["state"] = [Path.GetFullPath(folder)];
        foreach (var option in Options)
        {
            if (invocation.Values(option.Name) is { Count: > 0 } values)
                given[option.Name] = Files.Contains(option.Name) ? [.. values.Select(Path.GetFullPath)] : values;
        }
        return new DaemonSettings(given, runFolder);
    }

    /// <summary>What is asked for and a running daemon does not have, for people; null: nothing.</summary>
    /// <param name="commandLine">Its program and arguments, each option followed by its value.</param>
    public string? DifferenceFrom(IReadOnlyList<string> commandLine)
    {
        foreach (var (name, values) in given)
        {
            string[] running = [.. ValuesOf(commandLine, "--" + name)];
            if (running.Length == 0 && name == "state")
                running = [DefaultStateFolder];
            if (!running.SequenceEqual(values, StringComparer.Ordinal))
                return running.Length == 0 ? $"without --{name}" : $"with --{name} {string.Join($" --{name} ", running)}";
        }
        return null;
    }

    private static IEnumerable<string> ValuesOf(IReadOnlyList<string> commandLine, string option)
    {
        for (int index = 1; index < commandLine.Count; index++)
        {
            if (commandLine[index].StartsWith(option + "=", StringComparison.Ordinal))
                yield return commandLine[index][(option.Length + 1)..];
            else if (commandLine[index] == option && index + 1 < commandLine.Count)
                yield return commandLine[++index];
        }
    }
}
