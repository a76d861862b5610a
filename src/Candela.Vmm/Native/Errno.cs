using System.Runtime.InteropServices;

namespace Candela.Vmm.Native;

/// <summary>errno of the last call to libc on this thread.</summary>
internal static class Errno
{
    /// <summary>The number.</summary>
    public static int Last => Marshal.GetLastPInvokeError();

    /// <summary>Passes a result on; a negative one is an exception.</summary>
    /// <exception cref="NativeException">The call failed.</exception>
    public static int Check(int result, string what) => result >= 0 ? result : throw new NativeException(what, Last);
}
