using System.Globalization;
using Candela.Model;

namespace Candela.Daemon;

/// <summary>Keeps a second daemon from the same run folder, and names the first.</summary>
internal sealed class PidFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _file;

    private PidFile(string path, FileStream file)
    {
        _path = path;
        _file = file;
    }

    /// <summary>Takes the file for the life of this process.</summary>
    /// <exception cref="CandelaException">Conflict: another daemon has it.</exception>
    public static PidFile Take(string path)
    {
        FileStream file;
        try
        {
            // FileShare.Read: .NET holds an flock(2) for writing, which ends with the process, however it ends.
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
        }
        catch (IOException e)
        {
            throw new CandelaException(ErrorCode.Conflict, $"another candelad uses {Path.GetDirectoryName(path)} (its pid is in {path}): give this one --run and --state folders of its own", e);
        }

        file.SetLength(0);
        file.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"));
        file.Flush();
        return new PidFile(path, file);
    }

    /// <summary>Deletes it.</summary>
    public void Dispose()
    {
        File.Delete(_path);
        _file.Dispose();
    }
}
