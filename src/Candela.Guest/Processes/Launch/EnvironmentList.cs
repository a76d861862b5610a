using Candela.Guest.Container;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Processes.Launch;

/// <summary>The environment of a process: what the host gave, and what every process of a container has besides.</summary>
internal static class EnvironmentList
{
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    // https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE_Workload_Endpoint.md, section 4
    private const string WorkloadSocket = "SPIFFE_ENDPOINT_SOCKET";

    /// <summary>PATH, HOSTNAME, TERM (for a terminal), HOME, and where the SPIFFE Workload API is, where they are absent.</summary>
    /// <exception cref="AgentFailure">An entry contains a zero character.</exception>
    public static List<string> Make(GuestProcess process, string hostname, string home)
    {
        var given = process.Environment;
        var list = new List<string>(given.Count + 5);
        if (Find(given, "PATH") is null)
            list.Add("PATH=" + DefaultPath);
        if (Find(given, "HOSTNAME") is null)
            list.Add("HOSTNAME=" + hostname);
        if (process.Tty && Find(given, "TERM") is null)
            list.Add("TERM=xterm");
        for (var i = 0; i < given.Count; i++)
            list.Add(RootedPath.Checked(given[i], "the environment"));
        if (Find(given, "HOME") is null)
            list.Add("HOME=" + home);
        if (Find(given, WorkloadSocket) is null)
            list.Add(WorkloadSocket + "=unix:///dev/candela/workload.sock");
        return list;
    }

    /// <summary>Paths where the program may be.</summary>
    public static List<string> Candidates(string program, List<string> environment)
    {
        if (program.Contains('/'))
            return [program];
        var candidates = new List<string>();
        if (program.Length == 0)
            return candidates;
        foreach (var folder in (Find(environment, "PATH") ?? "").Split(':'))
            candidates.Add(folder.Length == 0 ? "./" + program : $"{folder}/{program}");
        return candidates;
    }

    private static string? Find(IReadOnlyList<string> environment, string name)
    {
        for (var i = environment.Count - 1; i >= 0; i--)
        {
            var entry = environment[i];
            if (entry.Length > name.Length && entry[name.Length] == '=' && entry.StartsWith(name, StringComparison.Ordinal))
                return entry[(name.Length + 1)..];
        }
        return null;
    }
}
