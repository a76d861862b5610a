using System.Runtime.InteropServices;
using System.Text;
using Candela.Guest.Protocol;

namespace Candela.Guest.Files;

/// <summary>Failed file calls as the host is told of them.</summary>
internal static class FileFailure
{
    /// <summary>A failure in Go's wording ("open /x: no such file or directory"), which Docker's users know.</summary>
    /// <param name="action">What was tried, for example "open".</param>
    /// <param name="path">Path in the container.</param>
    /// <param name="error">Error number, negative or positive.</param>
    public static AgentFailure Of(string action, ReadOnlySpan<byte> path, int error)
    {
        error = int.Abs(error);
        var code = error switch
        {
            FileCalls.ENOENT or FileCalls.ENOTDIR => AgentError.NoSuchPath,
            FileCalls.ENOSPC or FileCalls.EDQUOT => AgentError.NoSpace,
            FileCalls.EROFS => AgentError.BadState,
            _ => AgentError.Failed,
        };
        var text = Marshal.GetPInvokeErrorMessage(error);
        return new AgentFailure(code, $"{action} {Text(path)}: {char.ToLowerInvariant(text[0])}{text[1..]}");
    }

    /// <summary>A path for a message.</summary>
    public static string Text(ReadOnlySpan<byte> path) => Encoding.UTF8.GetString(path.TrimEnd((byte)0));
}
