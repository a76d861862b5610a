using System.Collections.Concurrent;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;

namespace Candela.Identity.Authentication;

/// <summary>
/// Who a user of this host is, to the daemon's sockets: root whoever mends what has gone wrong, and may do everything; others the account with
/// their uid (<see cref="PosixAccount.UidNumber"/>), or else <c>local@system</c>. What these may do, their bindings say.
/// </summary>
/// <param name="directory">Accounts.</param>
public sealed class LocalUsers(IDirectory directory)
{
    /// <summary>Name of the service account, in the system domain, of users who have no account of their own.</summary>
    public const string AccountName = "local";

    private const string From = "local";
    private const int CachedMaximum = 1024;

    private readonly ConcurrentDictionary<uint, (long Revision, Guid? Account)> _found = new();

    /// <summary>The actor that a user is.</summary>
    /// <param name="userName">Name on this host.</param>
    /// <param name="userId">Number on this host; not root's.</param>
    public Actor Find(string userName, uint userId)
    {
        var current = directory.Current;
        if (FindOwn(current, userId) is { } own && current.GetDomain(own.DomainId) is { } domain)
            return Actor.Of(own, domain, From, userId);
        var system = current.SystemDomain;
        return current.Find(system.Id, EntryKind.ServiceAccount, AccountName) is { } shared
            ? Actor.Of(shared, system, From, userId, userName)
            : Actor.Unproven(userName, From);
    }

    private User? FindOwn(DirectorySnapshot current, uint userId)
    {
        if (!_found.TryGetValue(userId, out var found) || found.Revision != current.Revision)
        {
            found = (current.Revision, current.Entries.FirstOrDefault(entry => entry is User user && user.Posix?.UidNumber == userId)?.Id);
            if (_found.Count >= CachedMaximum)
                _found.Clear();
            _found[userId] = found;
        }

        return found.Account is { } id ? current.Get<User>(id) : null;
    }
}
