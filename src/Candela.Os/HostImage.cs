namespace Candela.Os;

/// <summary>A small host with KVM, to boot in an emulator.</summary>
/// <param name="KernelRelease">The kernel's release (uname -r).</param>
/// <param name="KernelPath">The bootable kernel (bzImage).</param>
/// <param name="InitramfsPath">Its whole file system.</param>
public sealed record HostImage(string KernelRelease, string KernelPath, string InitramfsPath);
