using System.Security.Cryptography;
using System.Text;
using Candela.Identity.Storage;

namespace Candela.Identity.Saml.Storage;

/// <summary>Where SAML's documents are in the state store. What comes from outside becomes part of a key as a digest only.</summary>
internal static class SamlStateKeys
{
    public const string Root = IdentityKeys.Root + "saml/";

    /// <summary>Signing keys.</summary>
    public const string SigningKeys = Root + "keys";


    /// <summary>Key of persistent name identifiers.</summary>
    public const string PairwiseKey = Root + "pairwise-key";

    /// <summary>Service providers by name.</summary>
    public const string Providers = Root + "providers/";

    /// <summary>Place of one private key.</summary>
    public static string SigningKey(string id) => $"{SigningKeys}/{id}";

    public static string Provider(string name) => Providers + name;

    /// <summary>Name of the service provider that has an entity id.</summary>
    public static string Entity(string entityId) => $"{Root}entities/{Digest(entityId)}";

    /// <summary>A request that was answered.</summary>
    public static string Used(string entityId, string requestId) => $"{Root}used/{Digest($"{entityId.Length}:{entityId}{requestId}")}";

    /// <summary>Sessions of service providers that came from one sign-in session.</summary>
    public static string Sessions(string signInSession) => $"{Root}sessions/{Digest(signInSession)}/";

    public static string Session(string signInSession, string index) => Sessions(signInSession) + Digest(index);

    /// <summary>Where a session index leads.</summary>
    public static string SessionIndex(string index) => $"{Root}session-index/{Digest(index)}";

    public static string Logout(string id) => $"{Root}logouts/{Digest(id)}";

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
