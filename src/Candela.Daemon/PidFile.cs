using System.Globalization;
using Candela.Model;

namespace Candela.Daemon;

/// <summary>Keeps a second daemon from the same run folder, and names the first.</summary>
internal sealed class PidFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _lock;

    private PidFile(string path, FileStream held)
    {
        _path = path;
        _lock = held;
    }

    /// <summary>Takes the file for the life of this process.</summary>
    /// <param name="path">Pid file. The lock is on a file of its own, <c>PATH.lock</c>: this one can be read by everyone then.</param>
    /// <exception cref="CandelaException">Conflict: another daemon has it.</exception>
    public static PidFile Take(string path)
    {
        FileStream held;
        try
        {
            // FileShare.None: .NET takes an exclusive flock(2), which ends with the process, however it ends.
            held = new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
        }
        catch (IOException e)
        {
            throw new CandelaException(ErrorCode.Conflict, $"another candelad uses {Path.GetDirectoryName(path)} (its pid is in {path}): give this one --run and --state folders of its own", e);
        }

        File.WriteAllText(path, Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
        return new PidFile(path, held);
    }

    /// <summary>Deletes it. The lock's file stays: whoever waits for it must find the same one.</summary>
    public void Dispose()
    {
        File.Delete(_path);
        _lock.Dispose();
    }
}
