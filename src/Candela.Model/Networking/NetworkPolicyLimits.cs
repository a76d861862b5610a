namespace Candela.Model.Networking;

/// <summary>Limits of groups and policies.</summary>
public static class NetworkPolicyLimits
{
    /// <summary>What names are made of.</summary>
    public const string NameRule = "a letter or digit, then letters, digits, '.', '_' and '-', at most 63 characters, in lower case";

    /// <summary>Longest name of a group or policy, characters.</summary>
    public const int NameLength = 63;

    /// <summary>Longest description, characters.</summary>
    public const int DescriptionLength = 256;

    /// <summary>Most groups of a project.</summary>
    public const int GroupCount = 4096;

    /// <summary>Most policies of a project.</summary>
    public const int PolicyCount = 10_000;

    /// <summary>Most labels of a group's selector.</summary>
    public const int LabelCount = 32;

    /// <summary>Longest key or value of a selector's label, characters.</summary>
    public const int LabelLength = 4096;

    /// <summary>Most subjects, and most peers, of a policy.</summary>
    public const int PeerCount = 64;

    /// <summary>Most exceptions of a CIDR peer.</summary>
    public const int ExceptionCount = 64;

    /// <summary>Most services of a policy.</summary>
    public const int ServiceCount = 64;

    /// <summary>Last priority; 0 is the first.</summary>
    public const int PriorityMaximum = 65_535;

    /// <summary>Most segments that a segment has routes to.</summary>
    public const int RouteCount = 256;

    /// <summary>Smallest rate limit, bytes per second.</summary>
    public const long RateMinimum = 1000;

    /// <summary>Largest rate limit, bytes per second.</summary>
    public const long RateMaximum = 1L << 40;
}
