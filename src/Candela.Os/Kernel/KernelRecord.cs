using System.Security.Cryptography;
using System.Text.Json;

namespace Candela.Os.Kernel;

/// <summary>What is kept of a kernel package, written as kernel.json beside the files.</summary>
/// <param name="Package">Package name.</param>
/// <param name="PackageVersion">Package version.</param>
/// <param name="Release">The kernel's release (uname -r).</param>
/// <param name="WantedModules">The modules that were asked for.</param>
/// <param name="Kernel">The bootable kernel.</param>
/// <param name="Modules">The wanted modules and their dependencies, in load order; what is built in is left out.</param>
internal sealed record KernelRecord(
    string Package, string PackageVersion, string Release, IReadOnlyList<string> WantedModules, KernelFile Kernel, IReadOnlyList<KernelFile> Modules)
{
    private const string FileName = "kernel.json";

    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true };

    /// <summary>Reads the record of a folder and checks every file that it names; null when anything is missing or damaged.</summary>
    public static KernelRecord? TryLoad(string folder)
    {
        try
        {
            KernelRecord? record = JsonSerializer.Deserialize<KernelRecord>(File.ReadAllBytes(Path.Combine(folder, FileName)));
            return record is { Kernel: not null, Modules: not null, WantedModules: not null } && record.Modules.Append(record.Kernel).All(file => file.IsIntactIn(folder)) ? record : null;
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Writes the record into a folder.</summary>
    public void Save(string folder) => File.WriteAllBytes(Path.Combine(folder, FileName), JsonSerializer.SerializeToUtf8Bytes(this, Format));
}

/// <summary>A file of the kept kernel.</summary>
/// <param name="Name">File name in the kernel's folder.</param>
/// <param name="Sha256">Digest of its bytes, lower-case hexadecimal.</param>
internal sealed record KernelFile(string Name, string Sha256)
{
    /// <summary>Describes a file of a folder.</summary>
    public static KernelFile Of(string folder, string name) => new(name, Digest(Path.Combine(folder, name)));

    /// <summary>Whether the file is there with the recorded bytes.</summary>
    public bool IsIntactIn(string folder)
    {
        string path = Path.Combine(folder, Path.GetFileName(Name));
        return File.Exists(path) && Digest(path) == Sha256;
    }

    private static string Digest(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
