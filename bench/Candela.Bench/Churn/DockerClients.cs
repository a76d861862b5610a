using System.Diagnostics;

namespace Candela.Bench.Churn;

/// <summary>Runs the docker client, and knows which of its processes may be killed at the moment.</summary>
internal sealed class DockerClients(string socket)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    private readonly Lock gate = new();
    private readonly Dictionary<Process, bool> running = [];

    /// <summary>Runs one command.</summary>
    /// <param name="mayBeKilled">A disturber may kill it.</param>
    /// <param name="arguments">Arguments of docker.</param>
    public CommandResult Run(bool mayBeKilled, params string[] arguments)
    {
        var start = new ProcessStartInfo("docker", ["-H", "unix://" + socket, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        if (mayBeKilled)
        {
            lock (gate)
                running[process] = false;
        }
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        bool ended = process.WaitForExit(Timeout);
        if (!ended)
        {
            process.Kill();
            process.WaitForExit();
        }
        bool killed;
        lock (gate)
            killed = running.Remove(process, out bool wasKilled) && wasKilled;
        return new CommandResult(ended ? process.ExitCode : -1, output.Result, error.Result, killed);
    }

    /// <summary>SIGKILL to one of the processes that may be killed; false when there is none.</summary>
    public bool KillOne(Random random)
    {
        lock (gate)
        {
            var victims = running.Where(entry => !entry.Value).Select(entry => entry.Key).ToList();
            if (victims.Count == 0)
                return false;
            var victim = victims[random.Next(victims.Count)];
            running[victim] = true;
            victim.Kill();
            return true;
        }
    }
}
