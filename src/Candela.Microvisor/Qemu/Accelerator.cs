namespace Candela.Microvisor.Qemu;

/// <summary>How QEMU runs vCPUs.</summary>
/// <param name="Name">QEMU's name: <c>tcg</c> or <c>kvm</c>.</param>
/// <param name="Argument">Value of <c>-accel</c>.</param>
/// <param name="JailArguments">What the jail must show for it.</param>
internal sealed record Accelerator(string Name, string Argument, IReadOnlyList<string> JailArguments)
{
    /// <summary>Emulation. Clones translate little code: a small cache saves 20 MiB of memory each.</summary>
    public static readonly Accelerator Tcg = new("tcg", "tcg,tb-size=32,thread=multi", []);

    /// <summary>Hardware virtualization.</summary>
    /// <param name="group">Group that may use the device, or null when everybody may.</param>
    public static Accelerator Kvm(uint? group) =>
        new("kvm", "kvm", ["--share", KvmDevice, .. group is { } id ? new[] { "--group", id.ToString(System.Globalization.CultureInfo.InvariantCulture) } : []]);

    /// <summary>Device of KVM.</summary>
    public const string KvmDevice = "/dev/kvm";
}
