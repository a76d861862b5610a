namespace Candela.Vmm.Boot;

/// <summary>A kernel, initial RAM disk or command line that cannot be booted; the message says why.</summary>
internal sealed class BootException(string message) : Exception(message);
