using Candela.Model;

namespace Candela.Build.Dockerfiles;

/// <summary>Makes the failures of Dockerfiles, in Docker's words.</summary>
internal static class DockerfileException
{
    /// <summary>A line that cannot be read.</summary>
    public static CandelaException Syntax(int line, string message) =>
        new(ErrorCode.InvalidArgument, $"dockerfile parse error line {line}: {message}");

    /// <summary>A file that cannot be built as a whole.</summary>
    public static CandelaException Invalid(string message) => new(ErrorCode.InvalidArgument, message);

    /// <summary>Text of strangers as a message shows it.</summary>
    public static string Shorten(string text)
    {
        const int shown = 80;
        return string.Concat((text.Length > shown ? text[..shown] + "…" : text).Select(static c => char.IsControl(c) ? ' ' : c));
    }
}
