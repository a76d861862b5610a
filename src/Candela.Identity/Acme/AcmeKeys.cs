namespace Candela.Identity.Acme;

/// <summary>Where ACME's documents are in the state store.</summary>
internal static class AcmeKeys
{
    public const string Orders = "/identity/acme/orders/";
    public const string Authorizations = "/identity/acme/authorizations/";
    public const string Externals = "/identity/acme/externals/";
    public const string NonceKey = "/identity/acme/nonce-key";

    public static string Account(string id) => $"/identity/acme/accounts/{id}";

    /// <summary>Says which account has a key.</summary>
    public static string AccountKey(string thumbprint) => $"/identity/acme/account-keys/{thumbprint}";

    public static string External(string id) => Externals + id;

    public static string Order(string id) => Orders + id;

    /// <summary>Orders of an account.</summary>
    public static string OrdersOf(string account) => $"/identity/acme/account-orders/{account}/";

    public static string Authorization(string id) => Authorizations + id;

    /// <summary>A nonce that was used.</summary>
    public static string Nonce(string nonce) => $"/identity/acme/nonces/{nonce}";
}
