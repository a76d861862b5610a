using Candela.Microvisor.Native;

namespace Candela.Microvisor.Qemu;

/// <summary>How QEMU runs vCPUs.</summary>
/// <param name="Name">QEMU's name: <c>tcg</c> or <c>kvm</c>.</param>
/// <param name="Argument">Value of <c>-accel</c>.</param>
/// <param name="JailArguments">What the jail must show for it.</param>
/// <param name="KernelArguments">What the guest's kernel must know of it.</param>
internal sealed record Accelerator(string Name, string Argument, IReadOnlyList<string> JailArguments, string KernelArguments)
{
    /// <summary>
    /// Emulation. Clones translate little code: a small cache saves memory. The guest is told the counter's frequency, because its own
    /// measurement against the emulated timer fails, and the boot then hangs, when the host is busy.
    /// </summary>
    public static readonly Accelerator Tcg = new("tcg", "tcg,tb-size=32,thread=multi", [], $"tsc_early_khz={TimeStampCounter.MeasureKilohertz()}");

    /// <summary>Hardware virtualization.</summary>
    /// <param name="group">Group that may use the device, or null when everybody may.</param>
    public static Accelerator Kvm(uint? group) =>
        new("kvm", "kvm", ["--share", KvmDevice, .. group is { } id ? new[] { "--group", id.ToString(System.Globalization.CultureInfo.InvariantCulture) } : []], "");

    /// <summary>Device of KVM.</summary>
    public const string KvmDevice = "/dev/kvm";
}
