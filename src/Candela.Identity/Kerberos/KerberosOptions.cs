using System.Net;

namespace Candela.Identity.Kerberos;

/// <summary>Options of the KDC. All controllers of an installation have the same realm.</summary>
public sealed record KerberosOptions
{
    /// <summary>The realm: a domain name, by convention in upper case.</summary>
    public required string Realm { get; init; }

    /// <summary>Folder of the KDC's configuration and database, which is rebuilt at each start; best in memory. Those below it that lead there are open to everybody.</summary>
    public required string Folder { get; init; }

    /// <summary>Where the KDC listens, UDP and TCP.</summary>
    public required IReadOnlyList<IPEndPoint> Endpoints { get; init; }

    /// <summary>Names of this host for which there are service principals <c>host/</c>, <c>HTTP/</c> and <c>ldap/</c>.</summary>
    public IReadOnlyList<string> HostNames { get; init; } = [];

    /// <summary>User and group id of the KDC's process; null: this process's own.</summary>
    public uint? UserId { get; init; }

    /// <summary>Longest life of a ticket. Tickets outlive the account's end at services that do not ask Candela.</summary>
    public TimeSpan TicketLifetime { get; init; } = TimeSpan.FromHours(8);

    /// <summary>File of the keys of <see cref="HostNames"/>'s principals; readable by this process only.</summary>
    public string KeytabPath => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(Folder))!, "keytab");

    /// <summary>Configuration for clients (<c>KRB5_CONFIG</c>).</summary>
    public string ClientConfigurationPath => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(Folder))!, "krb5.conf");

    /// <summary>The realm could be one.</summary>
    public static bool IsRealm(string text) =>
        text.Length is > 0 and <= 253 && text.Split('.').All(label => label.Length is > 0 and <= 63 && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') && label[0] != '-');
}
