using Candela.Microvisor.Native;
using Microsoft.Win32.SafeHandles;

namespace Candela.Microvisor.Qemu;

/// <summary>What a VMM does while it waits for a claim.</summary>
/// <param name="ImagePath">Its read-only disk.</param>
/// <param name="ScratchPath">What its writable disk is a copy of; the copy is in memory and goes when the rehearsal ends.</param>
/// <param name="RunAsync">Has the agent behind the stream do it; the guest must be as before when it completes.</param>
public sealed record Rehearsal(string ImagePath, string ScratchPath, Func<Stream, CancellationToken, Task> RunAsync)
{
    internal SafeFileHandle CopyScratch(CancellationToken cancellationToken)
    {
        using SafeFileHandle template = File.OpenHandle(ScratchPath);
        SafeFileHandle copy = MemoryFile.Create("candela-rehearsal", RandomAccess.GetLength(template));
        MemoryFile.CopyPages(template, copy, cancellationToken);
        return copy;
    }
}
