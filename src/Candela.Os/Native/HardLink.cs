using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Candela.Os.Native;

/// <summary>link(2).</summary>
internal static partial class HardLink
{
    /// <summary>Gives a file a second name on the same file system.</summary>
    public static void Create(string existing, string path)
    {
        if (Link(existing, path) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"cannot link {existing} to {path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string path);
}
