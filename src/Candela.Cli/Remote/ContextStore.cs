using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Candela.Cli.CommandLine;
using Candela.Cli.Terminal;
using Microsoft.Win32.SafeHandles;

namespace Candela.Cli.Remote;

/// <summary>
/// Contexts: daemons that one works with, a file each in <c>$XDG_CONFIG_HOME/candela/contexts</c> (XDG Base Directory Specification), and which of
/// them is used when none is named. Files have mode 0600, are replaced whole, and one that others can read is refused.
/// </summary>
internal sealed class ContextStore(string folder)
{
    /// <summary>Name of the daemon on this host.</summary>
    public const string Local = "local";

    private const int NameLength = 64;
    private const int FileBytes = 256 * 1024;
    private const string Suffix = ".json";
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private readonly string contexts = Path.Combine(folder, "contexts");
    private readonly string current = Path.Combine(folder, "context");

    /// <summary>The user's; null: the user has no home.</summary>
    public static ContextStore? OfUser()
    {
        string? home = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } configured && Path.IsPathRooted(configured) ? configured
            : Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } own ? Path.Combine(own, ".config")
            : null;
        return home is null ? null : new ContextStore(Path.Combine(home, "candela"));
    }

    /// <summary>The user's.</summary>
    /// <exception cref="InvalidOperationException">The user has no home.</exception>
    public static ContextStore OfUserOrFail() => OfUser() ?? throw new InvalidOperationException("there is no place for contexts: set HOME or XDG_CONFIG_HOME");

    /// <summary>The one that is used when none is named; null: the daemon on this host.</summary>
    public string? Current => File.Exists(current) && File.ReadAllText(current).Trim() is { Length: > 0 } name && name != Local ? name : null;

    public IReadOnlyList<string> Names => !Directory.Exists(contexts) ? []
        : [.. Directory.EnumerateFiles(contexts, "*" + Suffix).Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    /// <exception cref="UsageException">It cannot be the name of a context.</exception>
    public static string Checked(string name) =>
        name.Length is > 0 and <= NameLength && name != Local && char.IsAsciiLetterOrDigit(name[0]) && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_')
            ? name
            : throw new UsageException($"a context's name has 1 to {NameLength} letters, digits, dots, hyphens and underscores, and is not '{Local}': '{name}'");

    /// <summary>Null: there is none.</summary>
    /// <exception cref="InvalidOperationException">Its file cannot be trusted, or is damaged.</exception>
    public SavedContext? Find(string name)
    {
        string file = FileOf(name);
        if (!File.Exists(file))
            return null;
        if ((File.GetUnixFileMode(file) & Others) != 0)
            throw new InvalidOperationException($"others can read or write {file}, which signs in as you: chmod 600 it, and sign in again if somebody may have");
        if (new FileInfo(file).Length > FileBytes)
            throw new InvalidOperationException($"{file} has more than {FileBytes} bytes");
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), ContextJson.Default.SavedContext);
        }
        catch (JsonException exception)
        {
            throw new InvalidOperationException($"{file} is damaged ({exception.Message}): remove it and sign in again", exception);
        }
    }

    /// <exception cref="InvalidOperationException">There is none.</exception>
    public SavedContext Get(string name) => Find(name) ?? throw new InvalidOperationException($"there is no context '{name}': 'candela context ls' lists them, 'candela login https://HOST' makes one");

    /// <summary>A context's name by its daemon's address; null: there is none.</summary>
    public string? NameOf(string url) => Names.FirstOrDefault(name => Find(name)?.Url == url);

    public void Save(string name, SavedContext context) => Write(FileOf(name), JsonSerializer.SerializeToUtf8Bytes(context, ContextJson.Default.SavedContext));

    public void Remove(string name)
    {
        File.Delete(FileOf(name));
        if (Current == name)
            Use(Local);
    }

    public void Use(string name) => Write(current, Encoding.UTF8.GetBytes(name + "\n"));

    /// <summary>Keeps other processes of the user from changing contexts. Blocks; dispose to let go.</summary>
    public IDisposable Lock()
    {
        MakeFolder();
        // Not by FileStream, which asks for a lock of its own and does not wait for it.
        string path = Path.Combine(folder, "lock");
        int descriptor = Libc.open(path, Libc.O_RDWR | Libc.O_CREAT | Libc.O_CLOEXEC, (uint)PrivateFile.Mode);
        if (descriptor < 0)
            throw new IOException($"cannot open {path}: {Marshal.GetLastPInvokeErrorMessage()}");
        var file = new SafeFileHandle(descriptor, ownsHandle: true);
        while (Libc.flock(descriptor, Libc.LOCK_EX) != 0)
        {
            if (Marshal.GetLastPInvokeError() == Libc.EINTR)
                continue;
            string reason = Marshal.GetLastPInvokeErrorMessage();
            file.Dispose();
            throw new IOException($"cannot lock {path}: {reason}");
        }
        return file;
    }

    private string FileOf(string name) => Path.Combine(contexts, Checked(name) + Suffix);

    private void MakeFolder() => Directory.CreateDirectory(contexts, PrivateFile.Mode | UnixFileMode.UserExecute);

    private void Write(string file, byte[] content)
    {
        MakeFolder();
        PrivateFile.Write(file, content);
    }
}
