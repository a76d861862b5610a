using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Accounts;
using Candela.Model;

namespace Candela.Identity.Saml.Providers;

/// <summary>What must hold of a service provider.</summary>
internal static class ServiceProviderCheck
{
    /// <exception cref="CandelaException">InvalidArgument; NotFound: a domain or group that there is not.</exception>
    public static void Check(SamlServiceProvider provider, DirectorySnapshot directory)
    {
        CheckName(provider.Name);
        var domain = directory.GetDomain(provider.DomainId) ?? throw new CandelaException(ErrorCode.NotFound, $"no such domain: {provider.DomainId}");
        Require(provider.EntityId.Length is > 0 and <= SamlLimits.AddressLength && !provider.EntityId.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)),
            $"an entity id has 1 to {SamlLimits.AddressLength} characters and no white space");
        Require(provider.DisplayName is null or { Length: > 0 and <= 256 }, "a display name has 1 to 256 characters");
        Require(provider.AssertionConsumers.Count is > 0 and <= SamlLimits.ListCount, $"a service provider has 1 to {SamlLimits.ListCount} addresses for responses (assertion consumer services)");
        Require(provider.AssertionConsumers.Select(e => e.Index).Distinct().Count() == provider.AssertionConsumers.Count, "two addresses for responses have the same index");
        foreach (var endpoint in provider.AssertionConsumers)
            CheckAddress(endpoint.Location);
        if (provider.Logout is { } logout)
        {
            CheckAddress(logout.Location);
            CheckAddress(logout.ResponseLocation);
            Require(provider.SigningCertificates.Count > 0, "single logout needs a certificate of the service provider: its messages must be signed");
        }

        Require(provider.SigningCertificates.Count <= SamlLimits.ListCount, $"a service provider has at most {SamlLimits.ListCount} signing certificates");
        Require(!provider.RequireSignedRequests || provider.SigningCertificates.Count > 0, "requests cannot be signed without a certificate of the service provider: give one");
        foreach (var certificate in provider.SigningCertificates)
            CheckCertificate(certificate);
        if (provider.EncryptionCertificate is { } encryption)
            CheckCertificate(encryption);
        Require(provider.Attributes.Count <= SamlLimits.ListCount, $"a service provider gets at most {SamlLimits.ListCount} attributes");
        foreach (var (name, source) in provider.Attributes)
        {
            Require(name.Length is > 0 and <= 256 && !name.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)), "an attribute's name has 1 to 256 characters and no white space");
            Require(SamlAttributes.Sources.Contains(source), $"there is no attribute '{source}': choose among {string.Join(", ", SamlAttributes.Sources)}");
        }

        foreach (var id in provider.AllowedGroups)
        {
            if (directory.Get<Group>(id) is not { } group || group.DomainId != domain.Id)
                throw new CandelaException(ErrorCode.NotFound, $"no such group in {domain.Name}: {id}");
        }
    }

    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public static void CheckName(string name) => Require(IsName(name), "a service provider's name has 1 to 63 of the characters a-z 0-9 - and does not begin or end with -: choose another one");

    /// <summary>Could be a name.</summary>
    public static bool IsName(string name) =>
        name.Length is > 0 and <= 63 && name.All(c => c is >= 'a' and <= 'z' or >= '0' and <= '9' or '-') && name[0] != '-' && name[^1] != '-';

    private static void CheckAddress(string address)
    {
        // What the browser is sent to is what was registered, in the one spelling that a browser uses, too.
        Require(
            address.Length <= SamlLimits.AddressLength && Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.UserInfo.Length == 0 && uri.Fragment.Length == 0 &&
            !address.Any(c => c is <= ' ' or > '~' or '"' or '\'' or '<' or '>' or '\\' or ';' or ',') && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback)),
            $"'{(address.Length > 100 ? address[..100] + "…" : address)}' is no address for messages: it must be like https://HOST/PATH, without user and fragment (http only on localhost)");
    }

    private static void CheckCertificate(byte[] der)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(der);
            using var key = certificate.GetRSAPublicKey();
            Require(key?.KeySize is >= SamlLimits.KeyBitsMinimum and <= SamlLimits.KeyBitsMaximum,
                $"a service provider's certificate must have an RSA key of {SamlLimits.KeyBitsMinimum} to {SamlLimits.KeyBitsMaximum} bits");
        }
        catch (CryptographicException e)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, "a service provider's certificate is none: give it in PEM or as metadata holds it", e);
        }
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
            throw new CandelaException(ErrorCode.InvalidArgument, message);
    }
}
