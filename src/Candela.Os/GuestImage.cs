namespace Candela.Os;

/// <summary>What a micro-VM boots.</summary>
/// <param name="Version">Short hash over kernel, modules, agent and builder: equal versions are equal guests.</param>
/// <param name="KernelRelease">The kernel's release (uname -r).</param>
/// <param name="KernelPath">The bootable kernel (bzImage).</param>
/// <param name="InitramfsPath">The first file system: the agent as /init, kernel modules in /modules, their load order in /modules.list.</param>
public sealed record GuestImage(string Version, string KernelRelease, string KernelPath, string InitramfsPath);
