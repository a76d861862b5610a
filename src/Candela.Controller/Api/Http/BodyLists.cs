using Candela.Model;

namespace Candela.Controller.Api.Http;

/// <summary>Lists and maps in bodies: the JSON reader lets null through as a member of either.</summary>
internal static class BodyLists
{
    /// <summary>The list, none of whose members is null.</summary>
    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public static IReadOnlyList<string>? Checked(this IReadOnlyList<string>? list, string member) =>
        list is null || list.All(one => one is not null) ? list : throw Null(member);

    /// <summary>The map, none of whose values is null.</summary>
    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public static IReadOnlyDictionary<string, string>? Checked(this IReadOnlyDictionary<string, string>? map, string member) =>
        map is null || map.Values.All(one => one is not null) ? map : throw Null(member);

    private static CandelaException Null(string member) => new(ErrorCode.InvalidArgument, $"{member} has null among its members: leave it out");
}
