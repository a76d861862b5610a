namespace Candela.Identity.Accounts;

/// <summary>Limits of the directory.</summary>
public static class AccountLimits
{
    /// <summary>Longest name of a user, group or service account, characters.</summary>
    public const int NameLength = 64;

    /// <summary>Longest name of a machine, characters (RFC 1035, 2.3.4).</summary>
    public const int MachineNameLength = 253;

    /// <summary>Longest display name, description, mail address or other text, characters.</summary>
    public const int TextLength = 1024;

    /// <summary>Most further attributes of an entry.</summary>
    public const int AttributeCount = 64;

    /// <summary>Most values of one further attribute.</summary>
    public const int AttributeValueCount = 64;

    /// <summary>Longest value of a further attribute, characters.</summary>
    public const int AttributeValueLength = 8192;

    /// <summary>Largest sum of all further attributes, characters.</summary>
    public const int AttributesLength = 256 * 1024;

    /// <summary>Deepest nesting of groups.</summary>
    public const int NestingDepth = 32;

    /// <summary>Most members of one group.</summary>
    public const int MemberCount = 100_000;

    /// <summary>Most members that one change takes in or out.</summary>
    public const int MemberChangeCount = 1000;

    /// <summary>Most entries of a listed page.</summary>
    public const int PageCount = 1000;

    /// <summary>Least user or group number that may be given, so that no account of a directory is root or a system account of a host.</summary>
    public const uint PosixNumberMinimum = 1000;

    /// <summary>Least user or group number that is allotted: above what hosts give to users, containers and sub-ids by themselves.</summary>
    public const uint PosixNumberFirst = 10_000_000;

    /// <summary>Greatest user or group number: the last value of the signed type that many programs use.</summary>
    public const uint PosixNumberMaximum = int.MaxValue - 1;
}
