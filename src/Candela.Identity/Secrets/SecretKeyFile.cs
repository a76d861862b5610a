using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Candela.Identity.Secrets;

/// <summary>
/// File of the master keys: one a line, <c>ID KEY</c> (8 hexadecimal digits, base64), the last one seals. A key is changed by adding a line;
/// a line may go when nothing is sealed by it any more. Lines that begin with <c>#</c> are for people.
/// </summary>
internal static class SecretKeyFile
{
    private const int FileBytes = 64 * 1024;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others = (UnixFileMode)0b111_111;

    public static SecretBox Open(string path)
    {
        if (!File.Exists(path))
            Create(path);
        if ((File.GetUnixFileMode(path) & Others) != 0)
            throw new InvalidDataException($"{path} can be read by others than its owner: find out who did, then run chmod 600 {path}");
        return Parse(path);
    }

    private static void Create(string path)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
            Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        var id = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)));
        var text = $"# Master keys of Candela's secrets. Without this file, what is sealed in the state store is lost.\n{id:x8} {Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBox.KeyBytes))}\n";
        // Written beside and linked into place, so that of two processes that start at once one wins and no half file is ever seen.
        string draft = $"{path}.{Path.GetRandomFileName()}";
        try
        {
            using (var file = new FileStream(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            {
                file.Write(Encoding.ASCII.GetBytes(text));
                file.Flush(flushToDisk: true);
            }

            try
            {
                File.Move(draft, path, overwrite: false);
            }
            catch (IOException) when (File.Exists(path))
            {
                // Another process was first; its key counts.
            }
        }
        finally
        {
            File.Delete(draft);
        }
    }

    private static SecretBox Parse(string path)
    {
        if (new FileInfo(path).Length > FileBytes)
            throw new InvalidDataException($"{path} is no key file: it has more than {FileBytes} bytes");
        var keys = new Dictionary<uint, byte[]>();
        uint? current = null;
        int number = 0;
        foreach (var line in File.ReadLines(path, Encoding.ASCII))
        {
            number++;
            if (line.Length == 0 || line[0] == '#')
                continue;
            var parts = line.Split(' ');
            var key = new byte[SecretBox.KeyBytes + 2];
            if (parts.Length != 2 || !uint.TryParse(parts[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint id) ||
                !Convert.TryFromBase64String(parts[1], key, out int length) || length != SecretBox.KeyBytes || !keys.TryAdd(id, key[..length]))
                throw new InvalidDataException($"{path}, line {number}: not a master key, or a second one with this id");
            current = id;
        }

        return new SecretBox(keys, current ?? throw new InvalidDataException($"{path} holds no master key: restore it from a backup"));
    }
}
