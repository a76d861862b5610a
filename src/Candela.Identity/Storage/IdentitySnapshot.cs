using System.Collections.Concurrent;
using Candela.Identity.Accounts;
using Candela.Identity.Authorization;

namespace Candela.Identity.Storage;

/// <summary>Directory and policy at one revision.</summary>
internal sealed class IdentitySnapshot(DirectorySnapshot directory, PolicySnapshot policy)
{
    /// <summary>Most subjects whose grants are kept.</summary>
    private const int SubjectCount = 100_000;

    // Filled as decisions are asked for; goes with the snapshot.
    private readonly ConcurrentDictionary<Subject, SubjectGrants> _grants = new();

    public DirectorySnapshot Directory { get; } = directory;

    public PolicySnapshot Policy { get; } = policy;

    public long Revision => Directory.Revision;

    public SubjectGrants GrantsOf(Subject subject)
    {
        if (_grants.TryGetValue(subject, out var grants))
            return grants;
        grants = SubjectGrants.Compile(Directory, Policy, subject);
        if (_grants.Count < SubjectCount)
            _grants.TryAdd(subject, grants);
        return grants;
    }
}
