using System.Globalization;
using Candela.Identity.Accounts;

namespace Candela.Identity.Storage;

/// <summary>
/// Where identity's documents are in the state store. What is below <see cref="Directory"/> is kept in memory by every controller; what must
/// be unique, and secrets, are beside it.
/// </summary>
internal static class IdentityKeys
{
    public const string Root = "/identity/";
    public const string Directory = Root + "directory/";
    public const string Domains = Directory + "domains/";
    public const string Entries = Directory + "entries/";
    public const string Members = Directory + "members/";
    public const string Roles = Directory + "roles/";
    public const string Bindings = Directory + "bindings/";

    /// <summary>Written last by every transaction that changes something below <see cref="Directory"/>: ends a revision for those who watch.</summary>
    public const string Head = Directory + "~head";

    /// <summary>Next Unix number to allot.</summary>
    public const string Numbers = Root + "numbers";

    public static string Domain(Guid id) => $"{Domains}{id}";

    public static string Entry(Guid id) => $"{Entries}{id}";

    public static string Member(Guid groupId, Guid memberId) => $"{Members}{groupId}/{memberId}";

    public static string Role(Guid id) => $"{Roles}{id}";

    public static string Binding(Guid id) => $"{Bindings}{id}";

    public static string RoleName(string? tenant, string name) => $"{Root}role-names/{tenant}/{name}";

    /// <summary>Changed with everything that refers to an entry or a role: who deletes it expects that nothing was added meanwhile.</summary>
    public static string Links(Guid id) => $"{Root}links/{id}";

    /// <summary>Changed with every group that is taken into another: two that would make a circle only together are kept apart.</summary>
    public static string Nesting(Guid domainId) => $"{Root}nesting/{domainId}";

    /// <summary>Changed with every entry that is made or removed: who deletes the domain expects that nothing was added meanwhile.</summary>
    public static string DomainLinks(Guid domainId) => $"{Root}links/{domainId}";

    public static string DomainName(string name) => $"{Root}domain-names/{name}";

    public static string DomainTenant(string tenant) => $"{Root}domain-tenants/{tenant}";

    public static string Name(Guid domainId, string name) => $"{Root}names/{domainId}/{EntryName.Fold(name)}";

    public static string Uid(Guid domainId, uint number) => string.Create(CultureInfo.InvariantCulture, $"{Root}uids/{domainId}/{number}");

    public static string Gid(Guid domainId, uint number) => string.Create(CultureInfo.InvariantCulture, $"{Root}gids/{domainId}/{number}");

    /// <summary>Id of the account that was made at the first start.</summary>
    public const string InitialAdministrator = Root + "initial-administrator";

    /// <summary>Id of the account of local users: it has been made once.</summary>
    public const string LocalAccount = Root + "local-account";

    /// <summary>Key of the digests of names that failed to sign in.</summary>
    public const string FailureKey = Root + "failure-key";

    public static string Failures(Guid domainId, int slot) => $"{Failures(domainId)}{slot:x3}";

    /// <summary>Prefix of a domain's failures.</summary>
    public static string Failures(Guid domainId) => $"{AllFailures}{domainId}/";

    public static string Credential(Guid id) => $"{Credentials}{id}";

    /// <summary>Prefix of what accounts prove themselves by.</summary>
    public const string Credentials = Root + "credentials/";

    /// <summary>Prefix of all domains' failures.</summary>
    public const string AllFailures = Root + "failures/";

    /// <summary>Kerberos realm and the keys of its ticket-granting service.</summary>
    public const string KerberosRealm = Root + "kerberos/realm";

    /// <summary>Prefix of Kerberos principals of services.</summary>
    public const string KerberosServices = Root + "kerberos/services/";

    public static string KerberosService(string name) => $"{KerberosServices}{name}";
}
