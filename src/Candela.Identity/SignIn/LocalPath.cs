using System.Buffers;

namespace Candela.Identity.SignIn;

/// <summary>Paths of this server that a page may lead back to: never an address elsewhere, however it is spelled.</summary>
internal static class LocalPath
{
    /// <summary>Longest path with its query, characters.</summary>
    public const int Length = 4096;

    // Printable ASCII but for the backslash, which browsers read as a slash.
    private static readonly SearchValues<char> Allowed =
        SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c).Where(c => c is not ('\\' or '"' or '<' or '>'))]);

    /// <summary>It is an absolute path, with or without a query, on this server.</summary>
    public static bool IsValid(string? path) =>
        path is { Length: > 0 and <= Length } && path[0] == '/' && (path.Length == 1 || path[1] != '/') && !path.AsSpan().ContainsAnyExcept(Allowed);
}
