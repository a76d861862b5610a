namespace Candela.Identity.Authorization;

/// <summary>A set of permissions: a mask of verbs for each kind.</summary>
internal sealed class PermissionSet
{
    public static readonly int KindCount = Enum.GetValues<ResourceKind>().Length;

    private const string All = "*";

    private static readonly uint AllVerbs = (1u << Enum.GetValues<Verb>().Length) - 1;

    private readonly uint[] _verbs = new uint[KindCount];

    private PermissionSet()
    {
    }

    /// <summary>Reads patterns <c>KIND:VERB</c>, where either may be <c>*</c>; null: one of them is neither.</summary>
    public static PermissionSet? TryParse(IEnumerable<string> patterns)
    {
        var set = new PermissionSet();
        foreach (var pattern in patterns)
        {
            if (pattern.Split(':') is not [var kindText, var verbText])
                return null;
            uint mask = verbText == All ? AllVerbs : PermissionText.Verb(verbText) is { } verb ? 1u << (int)verb : 0;
            if (mask == 0 || (kindText != All && PermissionText.Kind(kindText) is null))
                return null;
            for (int kind = 0; kind < KindCount; kind++)
            {
                if (kindText == All || PermissionText.Kind(kindText) == (ResourceKind)kind)
                    set._verbs[kind] |= mask;
            }
        }

        return set;
    }

    public static PermissionSet Union(IEnumerable<PermissionSet> sets)
    {
        var union = new PermissionSet();
        foreach (var set in sets)
        {
            for (int kind = 0; kind < KindCount; kind++)
                union._verbs[kind] |= set._verbs[kind];
        }

        return union;
    }

    public bool Contains(Permission permission) => (_verbs[(int)permission.Kind] >> (int)permission.Verb & 1) != 0;

    /// <summary>A permission that this set has and the other has not; null: there is none.</summary>
    public Permission? FirstBeyond(PermissionSet other)
    {
        for (int kind = 0; kind < KindCount; kind++)
        {
            uint beyond = _verbs[kind] & ~other._verbs[kind];
            if (beyond != 0)
                return new Permission((ResourceKind)kind, (Verb)System.Numerics.BitOperations.TrailingZeroCount(beyond));
        }

        return null;
    }
}
