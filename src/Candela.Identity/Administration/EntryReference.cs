using Candela.Identity.Accounts;
using Candela.Model;

namespace Candela.Identity.Administration;

/// <summary>How people refer to an account or group.</summary>
/// <param name="Domain">Name of the domain.</param>
/// <param name="Kind">Kind.</param>
/// <param name="Name">Name, or id.</param>
public readonly record struct EntryReference(string Domain, EntryKind Kind, string Name)
{
    /// <summary>The domain.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    internal static Domain FindDomain(DirectorySnapshot current, string name) =>
        current.FindDomain(name) ?? throw new CandelaException(ErrorCode.NotFound, $"No such domain: {name}");

    /// <summary>The entry; null: there is none.</summary>
    internal DirectoryEntry? Find(DirectorySnapshot current, Domain domain) =>
        current.Find(domain.Id, Kind, Name) ?? (Guid.TryParse(Name, out var id) && current.Get(id) is { } entry && entry.Kind == Kind && entry.DomainId == domain.Id ? entry : null);
}
