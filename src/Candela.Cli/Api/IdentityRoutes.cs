namespace Candela.Cli.Api;

/// <summary>Targets of the REST API, version 1: identity.</summary>
internal static class IdentityRoutes
{
    public const string Domains = "/v1/domains";
    public const string Users = "/v1/users";
    public const string ServiceAccounts = "/v1/service-accounts";
    public const string Groups = "/v1/groups";
    public const string Clients = "/v1/clients";
    public const string Roles = "/v1/roles";
    public const string Bindings = "/v1/bindings";
    public const string SamlProviders = "/v1/saml-providers";
    public const string IdentityProviders = "/v1/identity-providers";
    public const string SamlKeys = "/v1/saml-keys";
    public const string CanI = "/v1/can-i";
    public const string Certificates = "/v1/certificates";
    public const string Roots = "/v1/certificate-roots";
    public const string WhoAmI = "/v1/whoami";
    public const string OwnPassword = "/v1/self/password";
    public const string OwnSecondFactor = "/v1/self/second-factor";
    public const string OwnSecondFactorConfirm = "/v1/self/second-factor/confirm";
    public const string OwnRecoveryCodes = "/v1/self/recovery-codes";
    public const string Keytabs = "/v1/kerberos/keytabs";
    public const string KerberosServices = "/v1/kerberos/services";

    /// <param name="service"><c>SERVICE/HOST</c>.</param>
    public static string KerberosService(string service) => $"{KerberosServices}/{string.Join('/', service.Split('/').Select(Uri.EscapeDataString))}";

    public static string Domain(string name, string? action = null) => One(Domains, name, action);

    /// <param name="collection">Users, service accounts or groups.</param>
    /// <param name="reference"><c>NAME</c> or <c>NAME@DOMAIN</c>.</param>
    /// <param name="action">What is below it.</param>
    public static string Entry(string collection, string reference, string? action = null)
    {
        var (name, domain) = Split(reference);
        return Routes.Query(One(collection, name, action), ("domain", domain));
    }

    public static string Role(string name, string? tenant) => Routes.Query(One(Roles, name, null), ("tenant", tenant));

    public static string SamlProvider(string name) => One(SamlProviders, name, null);

    public static string IdentityProvider(string name) => One(IdentityProviders, name, null);

    public static string IdentityLinks(string name) => One(IdentityProviders, name, "links");

    public static string Binding(string id) => One(Bindings, id, null);

    /// <summary>Name and domain of <c>NAME@DOMAIN</c>; without a domain null: the system's.</summary>
    public static (string Name, string? Domain) Split(string reference) =>
        reference.LastIndexOf('@') is var at and > 0 ? (reference[..at], reference[(at + 1)..]) : (reference, null);

    private static string One(string collection, string name, string? action) =>
        $"{collection}/{Uri.EscapeDataString(name)}{(action is null ? "" : "/" + action)}";
}
