using Candela.Model;

namespace Candela.Daemon;

/// <summary>
/// Says which state folder the micro-VMs of a run folder belong to (file <c>owner</c> there), while there are any: a daemon on another
/// state folder would know none of them, and end them all as orphans.
/// </summary>
internal sealed class RunFolderOwner : IDisposable
{
    private readonly string _path;
    private readonly string _state;

    private RunFolderOwner(string path, string state)
    {
        _path = path;
        _state = state;
    }

    /// <summary>Takes the run folder for a state folder.</summary>
    /// <exception cref="CandelaException">Conflict: containers of another state folder run there.</exception>
    public static RunFolderOwner Claim(string runFolder, string stateFolder)
    {
        string path = Path.Combine(runFolder, "owner"), state = Path.GetFullPath(stateFolder);
        string former = File.Exists(path) ? File.ReadAllText(path).Trim() : state;
        if (former != state && RunsContainers(former))
            throw new CandelaException(ErrorCode.Conflict, $"containers of the state folder {former} run in {runFolder}: start with --state {former}, or give this daemon a --run folder of its own");
        File.WriteAllText(path, state + "\n");
        return new RunFolderOwner(path, state);
    }

    /// <summary>Gives it up, unless containers go on.</summary>
    public void Dispose()
    {
        if (!RunsContainers(_state))
            File.Delete(_path);
    }

    // The Machine's journal: a file for each run that has not been taken apart.
    private static bool RunsContainers(string state)
    {
        string containers = Path.Combine(state, "containers");
        return Directory.Exists(containers) && Directory.EnumerateDirectories(containers).Any(c => File.Exists(Path.Combine(c, "run.json")));
    }
}
