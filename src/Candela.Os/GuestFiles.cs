using System.Text.Json;
using Candela.Os.Kernel;

namespace Candela.Os;

/// <summary>The files of one guest's folder and the digests that tell whether they are whole.</summary>
internal static class GuestFiles
{
    /// <summary>The bootable kernel.</summary>
    public const string Kernel = "vmlinuz";

    /// <summary>The cpio archive.</summary>
    public const string Initramfs = "initramfs";

    private const string Digests = "guest.json";

    /// <summary>Records the digests; the last step of making a guest.</summary>
    public static void Seal(string folder) =>
        File.WriteAllBytes(Path.Combine(folder, Digests), JsonSerializer.SerializeToUtf8Bytes<KernelFile[]>([KernelFile.Of(folder, Kernel), KernelFile.Of(folder, Initramfs)]));

    /// <summary>Whether a folder holds a guest with the recorded bytes.</summary>
    public static bool AreIntactIn(string folder)
    {
        try
        {
            KernelFile[]? files = JsonSerializer.Deserialize<KernelFile[]>(File.ReadAllBytes(Path.Combine(folder, Digests)));
            return files is { Length: 2 } && files.All(file => file.IsIntactIn(folder));
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return false;
        }
    }
}
