namespace Candela.Os.Kernel;

/// <summary>A Debian package that holds a kernel.</summary>
/// <param name="Name">Package name, for example linux-image-6.1.0-56-cloud-amd64.</param>
/// <param name="Version">Package version, for example 6.1.192-2.</param>
internal sealed record KernelPackage(string Name, string Version);
