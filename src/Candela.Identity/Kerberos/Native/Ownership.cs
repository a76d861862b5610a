using System.Runtime.InteropServices;

namespace Candela.Identity.Kerberos.Native;

/// <summary>Owners of files.</summary>
internal static partial class Ownership
{
    /// <summary>Gives a file or folder to a user and its group of the same number.</summary>
    /// <exception cref="IOException">It cannot be given.</exception>
    public static void Give(string path, uint userId)
    {
        if (lchown(path, userId, userId) != 0)
            throw new IOException($"{path} cannot be given to user {userId}: error {Marshal.GetLastPInvokeError()}");
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lchown(string path, uint owner, uint group);
}
