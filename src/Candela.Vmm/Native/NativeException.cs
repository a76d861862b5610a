namespace Candela.Vmm.Native;

/// <summary>A system call that failed.</summary>
internal sealed class NativeException(string what, int error) : Exception($"{what}: error {error} (errno)")
{
    /// <summary>errno.</summary>
    public int Error { get; } = error;
}
