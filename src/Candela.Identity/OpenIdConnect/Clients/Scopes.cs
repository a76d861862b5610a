using System.Buffers;

namespace Candela.Identity.OpenIdConnect.Clients;

/// <summary>What a token can be good for (RFC 6749, section 3.3; OpenID Connect Core, section 5.4). Clients may have others of their own.</summary>
public static class Scopes
{
    /// <summary>Sign-in.</summary>
    public const string OpenId = "openid";

    /// <summary>Names.</summary>
    public const string Profile = "profile";

    /// <summary>Mail address.</summary>
    public const string Email = "email";

    /// <summary>Names of the groups that the account is in.</summary>
    public const string Groups = "groups";

    /// <summary>Roles of the account, as <c>ROLE</c> at a scope.</summary>
    public const string Roles = "roles";

    /// <summary>Refresh tokens.</summary>
    public const string OfflineAccess = "offline_access";

    /// <summary>Longest scope, characters.</summary>
    public const int Length = 128;

    private static readonly SearchValues<char> Allowed = SearchValues.Create([.. Enumerable.Range(0x21, 0x5e).Select(c => (char)c).Where(c => c is not ('"' or '\\'))]);

    /// <summary>Those that Candela gives a meaning to.</summary>
    public static IReadOnlyList<string> Standard { get; } = [OpenId, Profile, Email, Groups, Roles, OfflineAccess];

    /// <summary>It can be a scope (RFC 6749, section 3.3, scope-token).</summary>
    public static bool IsValid(string scope) => scope.Length is > 0 and <= Length && !scope.AsSpan().ContainsAnyExcept(Allowed);

    /// <summary>What a scope means, for people.</summary>
    internal static string Describe(string scope) => scope switch
    {
        OpenId => "know who you are",
        Profile => "see your name",
        Email => "see your mail address",
        Groups => "see the groups that you are in",
        Roles => "see your roles",
        OfflineAccess => "stay signed in when you are away",
        _ => scope,
    };
}
