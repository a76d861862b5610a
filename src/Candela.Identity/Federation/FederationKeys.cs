using System.Security.Cryptography;
using System.Text;
using Candela.Identity.Storage;

namespace Candela.Identity.Federation;

/// <summary>Where federation's documents are in the state store. What comes from outside becomes part of a key as a digest only.</summary>
internal static class FederationKeys
{
    private const string Root = IdentityKeys.Root + "federation/";

    /// <summary>Providers by name.</summary>
    public const string Providers = Root + "providers/";

    public static string Provider(string name) => Providers + name;

    /// <summary>Where a provider's secret is sealed for.</summary>
    public static string Secret(string name) => Provider(name) + "#secret";

    /// <summary>Links of a provider's subjects to accounts.</summary>
    public static string Links(string provider) => $"{Root}links/{provider}/";

    public static string Link(string provider, string subject) => Links(provider) + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(subject)));

    /// <summary>An account's link to a provider: it has one at most.</summary>
    public static string AccountLink(Guid account, string provider) => $"{AccountLinks(account)}{provider}";

    public static string AccountLinks(Guid account) => $"{Root}accounts/{account}/";
}
