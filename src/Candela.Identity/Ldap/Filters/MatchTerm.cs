using Candela.Identity.Ldap.Search;

namespace Candela.Identity.Ldap.Filters;

/// <summary>A filter made ready: attributes found, values prepared. Never changes; can be used by many threads.</summary>
internal abstract class MatchTerm
{
    /// <summary>True, false, or null: undefined (RFC 4511, 4.5.1.7).</summary>
    public abstract bool? Matches(MatchContext context);

    /// <summary>Entries of a domain of which at least all that match are among these; null: could be any.</summary>
    public virtual IReadOnlyCollection<Guid>? FindCandidates(CandidateSource source) => null;
}

/// <summary>The same for every entry.</summary>
internal sealed class ConstantTerm(bool? value) : MatchTerm
{
    public static readonly ConstantTerm True = new(true);
    public static readonly ConstantTerm False = new(false);
    public static readonly ConstantTerm Undefined = new(null);

    public override bool? Matches(MatchContext context) => value;

    public override IReadOnlyCollection<Guid>? FindCandidates(CandidateSource source) => value == true ? null : [];
}

/// <summary>All must be true; none are: true (RFC 4526).</summary>
internal sealed class AndTerm(MatchTerm[] terms) : MatchTerm
{
    public override bool? Matches(MatchContext context)
    {
        bool? result = true;
        foreach (var term in terms)
        {
            switch (term.Matches(context))
            {
                case false: return false;
                case null: result = null; break;
            }
        }

        return result;
    }

    public override IReadOnlyCollection<Guid>? FindCandidates(CandidateSource source)
    {
        IReadOnlyCollection<Guid>? fewest = null;
        foreach (var term in terms)
        {
            if (term.FindCandidates(source) is { } found && (fewest is null || found.Count < fewest.Count))
                fewest = found;
            if (fewest is { Count: <= 1 })
                break;
        }

        return fewest;
    }
}

/// <summary>One must be true; none are: false (RFC 4526).</summary>
internal sealed class OrTerm(MatchTerm[] terms) : MatchTerm
{
    public override bool? Matches(MatchContext context)
    {
        bool? result = false;
        foreach (var term in terms)
        {
            switch (term.Matches(context))
            {
                case true: return true;
                case null: result = null; break;
            }
        }

        return result;
    }

    public override IReadOnlyCollection<Guid>? FindCandidates(CandidateSource source)
    {
        var all = new HashSet<Guid>();
        foreach (var term in terms)
        {
            if (term.FindCandidates(source) is not { } found)
                return null;
            all.UnionWith(found);
        }

        return all;
    }
}

/// <summary>The other must be false.</summary>
internal sealed class NotTerm(MatchTerm term) : MatchTerm
{
    public override bool? Matches(MatchContext context) => !term.Matches(context);
}
