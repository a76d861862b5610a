using System.Runtime.InteropServices;

namespace Candela.Guest.Native;

/// <summary>
/// System calls without marshalling and without a transition of the runtime: also for a child that shares the
/// agent's memory and has not executed a program yet.
/// </summary>
internal static unsafe partial class Raw
{
    /// <summary>The call's result, or the negative error number.</summary>
    public static nint Call(nint number, nint a = 0, nint b = 0, nint c = 0, nint d = 0, nint e = 0)
    {
        var result = syscall(number, a, b, c, d, e, 0);
        return result == -1 ? -*__errno_location() : result;
    }

    [LibraryImport("libc")]
    [SuppressGCTransition]
    private static partial nint syscall(nint number, nint a, nint b, nint c, nint d, nint e, nint f);

    [LibraryImport("libc")]
    [SuppressGCTransition]
    private static partial int* __errno_location();
}
