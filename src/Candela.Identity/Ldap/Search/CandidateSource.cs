using Candela.Identity.Accounts;
using Candela.Identity.Ldap.Schema;

namespace Candela.Identity.Ldap.Search;

/// <summary>Finds entries of one domain that could match.</summary>
internal sealed class CandidateSource(AttributeIndex index, DirectorySnapshot directory, Guid domainId)
{
    /// <summary>Directory.</summary>
    public DirectorySnapshot Directory => directory;

    /// <summary>Domain.</summary>
    public Guid DomainId => domainId;

    /// <summary>Entries that could have the attribute; null: could be any.</summary>
    public IReadOnlyCollection<Guid>? Present(AttributeType type) => Find(type, prepared: null);

    /// <summary>Entries that could have the value; null: could be any.</summary>
    public IReadOnlyCollection<Guid>? Equal(AttributeType type, MatchingRule rule, string prepared)
    {
        if (rule != type.Equality)
            return null;
        if (type == AttributeTypes.EntryUuid)
            return Guid.TryParse(prepared, out var id) ? [id] : [];
        return Find(type, prepared);
    }

    private IReadOnlyCollection<Guid>? Find(AttributeType type, string? prepared)
    {
        if (type.WithSubtypes.Count == 1)
            return AttributeIndex.Covers(type) ? index.Find(domainId, type, prepared) : null;
        var all = new HashSet<Guid>();
        foreach (var covered in type.WithSubtypes)
        {
            if (!AttributeIndex.Covers(covered) || index.Find(domainId, covered, prepared) is not { } found)
                return null;
            all.UnionWith(found);
        }

        return all;
    }
}
