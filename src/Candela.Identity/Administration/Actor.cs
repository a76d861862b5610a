using Candela.Identity.Accounts;
using Candela.Identity.Authorization;

namespace Candela.Identity.Administration;

/// <summary>Who does something, as a front end has found out.</summary>
public sealed record Actor
{
    private Actor(string name, Subject? subject, uint? userId, string from)
    {
        Name = name;
        Subject = subject;
        UserId = userId;
        From = from;
    }

    /// <summary>Name for messages and the audit log.</summary>
    public string Name { get; }

    /// <summary>The account or workload whose rights count; null: a user of this host who may use the daemon's own socket, and thereby may do everything.</summary>
    public Subject? Subject { get; }

    /// <summary>Unix user id, of callers by a socket of this host.</summary>
    public uint? UserId { get; }

    /// <summary>Where the call came from: <c>local</c>, or an address.</summary>
    public string From { get; }

    /// <summary>A user of this host, by the daemon's own socket.</summary>
    public static Actor Local(string userName, uint userId) => new(userName, null, userId, "local");

    /// <summary>An account that has signed in.</summary>
    public static Actor Of(DirectoryEntry account, Domain domain, string from) => new($"{account.Name}@{domain.Name}", Authorization.Subject.Entry(account.Id), null, from);

    /// <summary>A user of this host who acts as an account.</summary>
    /// <param name="account">Account whose rights count.</param>
    /// <param name="domain">Its domain.</param>
    /// <param name="from">Where the call came from.</param>
    /// <param name="userId">The user's number.</param>
    /// <param name="userName">The user's name, where the account is not the user's own.</param>
    public static Actor Of(DirectoryEntry account, Domain domain, string from, uint userId, string? userName = null) =>
        new(userName is null ? $"{account.Name}@{domain.Name}" : $"{userName} as {account.Name}@{domain.Name}", Authorization.Subject.Entry(account.Id), userId, from);

    /// <summary>Somebody who has not proven to be anybody: may do nothing.</summary>
    /// <param name="name">Whom they say to be.</param>
    /// <param name="from">Where the call came from.</param>
    public static Actor Unproven(string name, string from) => new(name, default(Subject), null, from);

    /// <summary>A workload that has proven itself.</summary>
    public static Actor Workload(Subject workload, string from) =>
        workload.IsWorkload && !workload.IsAnyWorkload ? new(workload.ToString(), workload, null, from) : throw new ArgumentException("Not one workload.", nameof(workload));
}
