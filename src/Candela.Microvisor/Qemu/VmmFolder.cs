using System.Globalization;
using System.Security.Cryptography;
using Candela.Model;

namespace Candela.Microvisor.Qemu;

/// <summary>
/// The run-time folder of one VMM: sockets, jail, log. Its name is the VMM's user id in eight hexadecimal digits, so that making the folder
/// claims the id, and what is left of a VMM can be found and ended by its folder alone.
/// </summary>
internal sealed class VmmFolder
{
    private const uint UserIdMinimum = 0x6000_0000, BlockMask = 0xFFF_0000;

    private VmmFolder(string path) => Path = path;

    public string Path { get; }

    public string Name => System.IO.Path.GetFileName(Path);

    public uint UserId => uint.Parse(Name, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    public string QmpSocket => Path + "/qmp.sock";

    public string AgentSocket => Path + "/agent.sock";

    public string Root => Path + "/root";

    public string Log => Path + "/log";

    public string Report => Path + "/report";

    /// <summary>Makes a new one, with a user id that no other VMM of this instance has.</summary>
    /// <param name="parent">Folder of all VMMs of this instance; each instance has a block of 65536 ids by its path's hash.</param>
    public static VmmFolder Create(string parent)
    {
        uint block = UserIdMinimum | (Hash(parent) & BlockMask);
        for (int attempt = 0; attempt < 1000; attempt++)
        {
            string path = $"{parent}/{block | (uint)RandomNumberGenerator.GetInt32(0x10000):x8}";
            if (Native.Libc.mkdir(path, 0b111_000_000) < 0)
                continue;
            Directory.CreateDirectory(path + "/root");
            return new VmmFolder(path);
        }

        throw new CandelaException(ErrorCode.ResourceExhausted, $"no user id is free for another micro-VM below {parent}");
    }

    /// <summary>All that exist.</summary>
    public static IEnumerable<VmmFolder> List(string parent) =>
        Directory.Exists(parent) ? Directory.EnumerateDirectories(parent).Where(p => IsName(System.IO.Path.GetFileName(p))).Select(p => new VmmFolder(p)) : [];

    /// <summary>An existing one by its name; null when it is not there.</summary>
    public static VmmFolder? Find(string parent, string name) => IsName(name) && Directory.Exists($"{parent}/{name}") ? new VmmFolder($"{parent}/{name}") : null;

    /// <summary>First 32 bits of the SHA-256 of a path.</summary>
    public static uint Hash(string path) => BitConverter.ToUInt32(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(path)));

    /// <summary>The log's last lines, for error messages.</summary>
    public string ReadLog()
    {
        const int most = 4096;
        try
        {
            using FileStream log = File.OpenRead(Log);
            log.Seek(-Math.Min(most, log.Length), SeekOrigin.End);
            using var reader = new StreamReader(log);
            return reader.ReadToEnd().Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }

    /// <summary>Deletes it.</summary>
    public void Delete()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Deleted already.
        }
    }

    private static bool IsName(string name) => name.Length == 8 && name.All(char.IsAsciiHexDigitLower);
}
