using System.Buffers;
using System.Net;

namespace Candela.Identity.OpenIdConnect.Clients;

/// <summary>Where people may be led back to (RFC 6749, section 3.1.2; RFC 9700, section 4.1.3).</summary>
internal static class RedirectUris
{
    /// <summary>Longest address, characters.</summary>
    public const int Length = 1024;

    private static readonly SearchValues<char> Refused = SearchValues.Create("\"<>\\^`{|}*");

    /// <summary>Most of a client.</summary>
    public const int Count = 32;

    /// <summary>
    /// What is wrong with an address that is to be registered; null: nothing. It is https, http on a loopback address, or of a scheme of the
    /// program's own with a dot in it (RFC 8252, section 7.1); without fragment, user or wildcard.
    /// </summary>
    public static string? Check(string text)
    {
        if (text.Length is 0 or > Length || text.AsSpan().ContainsAnyExceptInRange('!', '~') || text.AsSpan().ContainsAny(Refused))
            return $"it must have 1 to {Length} characters, none of them a space, quote, backslash or *";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Fragment.Length > 0 || text.Contains('#', StringComparison.Ordinal) || uri.UserInfo.Length > 0)
            return "it must be absolute, without a fragment and a user";
        return uri.Scheme switch
        {
            "https" => uri.Host.Length > 0 ? null : "it has no host",
            "http" => IsLoopback(uri) ? null : "http is possible for 127.0.0.1, [::1] and localhost only: use https",
            var scheme => scheme.Contains('.', StringComparison.Ordinal) ? null : "its scheme must be https, or one of the program's own such as com.example.app",
        };
    }

    /// <summary>The address is one of these.</summary>
    public static bool Contains(IReadOnlyList<string> registered, string presented) =>
        presented.Length <= Length && registered.Any(one => string.Equals(one, presented, StringComparison.Ordinal) || IsSameButPort(one, presented));

    /// <summary>On loopback addresses (not names: RFC 8252, section 8.3) programs listen on whatever port is free.</summary>
    private static bool IsSameButPort(string registered, string presented)
    {
        if (!Uri.TryCreate(registered, UriKind.Absolute, out var one) || one.Scheme != "http" || !IPAddress.TryParse(one.Host, out _) || !IsLoopback(one))
            return false;
        var origin = $"http://{one.Host}";
        // The rest after the port, character by character.
        var rest = registered.AsSpan(registered.IndexOf(one.Host, StringComparison.Ordinal) + one.Host.Length);
        rest = rest[(rest.IndexOf('/') is >= 0 and var slash ? slash : rest.Length)..];
        if (!presented.StartsWith(origin, StringComparison.Ordinal) || !presented.AsSpan().EndsWith(rest))
            return false;
        var middle = presented.AsSpan(origin.Length);
        middle = middle.Length >= rest.Length ? middle[..^rest.Length] : [];
        return middle.IsEmpty || (middle.Length is >= 2 and <= 6 && middle[0] == ':' && middle[1] != '0' && !middle[1..].ContainsAnyExceptInRange('0', '9'));
    }

    private static bool IsLoopback(Uri uri) => uri.Host is "localhost" or "127.0.0.1" or "[::1]";
}
