using System.Runtime.InteropServices;
using Candela.Guest.Protocol;

namespace Candela.Guest.Native;

/// <summary>Error numbers and their texts.</summary>
internal static unsafe partial class Errno
{
    /// <summary>errno of the last call of <see cref="Libc"/>.</summary>
    public static int Last => Marshal.GetLastPInvokeError();

    /// <summary>libc's text, first letter small as the container tools write it.</summary>
    public static string Text(int number)
    {
        var text = Marshal.PtrToStringUTF8((nint)strerror(number)) ?? $"error {number}";
        return text.Length > 1 && char.IsLower(text[1]) ? char.ToLowerInvariant(text[0]) + text[1..] : text;
    }

    /// <summary>The result, unless it is negative.</summary>
    /// <exception cref="AgentFailure">The call that <paramref name="what"/> describes failed.</exception>
    public static int Check(int result, string what) => result >= 0 ? result : throw Failure(what, Last);

    /// <summary>What the host is told of a failed call.</summary>
    public static AgentFailure Failure(string what, int number) =>
        new(number == Linux.ENOSPC ? AgentError.NoSpace : AgentError.Failed, $"{what}: {Text(number)}");

    [LibraryImport("libc")]
    private static partial byte* strerror(int number);
}
