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
        return new AgentFailure(code, Message(action, path, error));
    }

    /// <summary>A failure with one entry of an archive: what is missing is not the path that the host asked for.</summary>
    public static AgentFailure OfEntry(string action, ReadOnlySpan<byte> path, int error)
    {
        var failure = Of(action, path, error);
        return failure.Error == AgentError.NoSuchPath ? new AgentFailure(AgentError.Failed, failure.Message) : failure;
    }

    /// <summary>A path for a message.</summary>
    public static string Text(ReadOnlySpan<byte> path) => Encoding.UTF8.GetString(path.TrimEnd((byte)0));

    private static string Message(string action, ReadOnlySpan<byte> path, int error)
    {
        var text = Marshal.GetPInvokeErrorMessage(error);
        return $"{action} {Text(path)}: {char.ToLowerInvariant(text[0])}{text[1..]}";
    }
}
