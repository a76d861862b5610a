using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Accounts;
using Candela.Identity.Ldap.Names;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Model;

namespace Candela.Identity.Federation;

/// <summary>What must hold of an identity provider.</summary>
internal static class IdentityProviderCheck
{
    private const int TextLength = 1024;
    private const int ListCount = 64;
    private const int GroupCount = 1000;

    /// <exception cref="CandelaException">InvalidArgument; NotFound: a domain or group that there is not.</exception>
    public static void Check(IdentityProvider provider, DirectorySnapshot directory)
    {
        Require(IsName(provider.Name), "an identity provider's name has 1 to 63 of the characters a-z 0-9 - and does not begin or end with -: choose another one");
        var domain = directory.GetDomain(provider.DomainId) ?? throw new CandelaException(ErrorCode.NotFound, $"no such domain: {provider.DomainId}");
        Require(provider.DisplayName is null or { Length: > 0 and <= 256 } && provider.DisplayName?.Any(char.IsControl) != true, "a display name has 1 to 256 characters");
        Require((provider.OpenId is null) != (provider.Ldap is null), "an identity provider is either an OpenID provider (give its issuer) or an LDAP directory (give its address)");
        if (provider.OpenId is { } openId)
            Check(openId, provider.SealedSecret is not null);
        if (provider.Ldap is { } ldap)
            Check(ldap, provider.SealedSecret is not null);
        Require(provider.Authorities.Count <= ListCount, $"an identity provider has at most {ListCount} certificates of authorities");
        foreach (var authority in provider.Authorities)
            CheckCertificate(authority);
        foreach (var (attribute, source) in provider.Attributes)
        {
            Require(ProfileAttributes.OpenId.ContainsKey(attribute), $"there is no attribute '{attribute}': choose among {string.Join(", ", ProfileAttributes.OpenId.Keys.Order())}");
            Require(attribute != ProfileAttributes.Id || provider.OpenId is null, "the id of an ID token is always 'sub': leave it out");
            Require(IsText(source, 256), $"what the provider calls {attribute} has 1 to 256 characters and no control characters");
        }

        Require(provider.RequiredGroups.Count <= GroupCount && provider.Groups.Count <= GroupCount, $"at most {GroupCount} groups of a provider can be named");
        Require(provider.RequiredGroups.Concat(provider.Groups.Keys).All(group => IsText(group, TextLength)), $"a provider's group has 1 to {TextLength} characters and no control characters");
        foreach (var id in provider.Groups.Values)
        {
            if (directory.Get<Group>(id) is not { } group || group.DomainId != domain.Id)
                throw new CandelaException(ErrorCode.NotFound, $"no such group in {domain.Name}: {id}");
        }
    }

    /// <summary>Could be a name.</summary>
    public static bool IsName(string name) =>
        name.Length is > 0 and <= 63 && name.All(c => c is >= 'a' and <= 'z' or >= '0' and <= '9' or '-') && name[0] != '-' && name[^1] != '-';

    private static void Check(OpenIdUpstream openId, bool hasSecret)
    {
        // OpenID Connect Discovery, section 3: https, no query, no fragment.
        Require(
            openId.Issuer.Length <= TextLength && Uri.TryCreate(openId.Issuer, UriKind.Absolute, out var issuer) && issuer.Scheme == Uri.UriSchemeHttps &&
            issuer.Query.Length + issuer.Fragment.Length + issuer.UserInfo.Length == 0 && !openId.Issuer.AsSpan().ContainsAnyExceptInRange('!', '~') && !openId.Issuer.Contains('?', StringComparison.Ordinal) &&
            !openId.Issuer.Contains('#', StringComparison.Ordinal),
            "an issuer is an address such as https://login.example.org or https://login.example.org/realm, without query and fragment");
        Require(IsText(openId.ClientId, TextLength), $"a client id has 1 to {TextLength} characters and no control characters");
        Require(openId.Scopes.Count <= ListCount && openId.Scopes.Contains(Scopes.OpenId) && openId.Scopes.All(Scopes.IsValid), $"'{Scopes.OpenId}' must be among the scopes, which have no spaces");
        Require(
            (openId.Authentication == UpstreamClientAuthentication.None) == !hasSecret,
            hasSecret ? "a client that proves nothing has no secret: leave it out, or choose another authentication" : "the client's secret is missing: give it, or say that there is none");
    }

    private static void Check(LdapUpstream ldap, bool hasSecret)
    {
        Require(Uri.CheckHostName(ldap.Host) is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6, "the LDAP server's name is none: give a host name or an address");
        Require(ldap.Port is > 0 and <= ushort.MaxValue, "a port is from 1 to 65535");
        Require(ldap.ObjectClass.Length is > 0 and <= 256 && ldap.ObjectClass.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.'), "an object class has letters, digits, - and . only");
        CheckDistinguishedName("base", ldap.BaseName);
        if (ldap.GroupBaseName is { } groups)
            CheckDistinguishedName("base of groups", groups);
        if (ldap.BindName is { } name)
            CheckDistinguishedName("name to bind as", name);
        // A bind with a name but no password is anonymous (RFC 4513, section 5.1.2): not what was meant.
        Require((ldap.BindName is null) == !hasSecret, "the name to bind as and its password go together");
    }

    private static void CheckDistinguishedName(string what, string name)
    {
        try
        {
            Require(name.Length is > 0 and <= TextLength && DistinguishedName.Parse(name).RelativeNames.Count > 0, $"the {what} is empty: give a distinguished name such as ou=people,dc=example,dc=org");
        }
        catch (NameSyntaxException e)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, $"the {what} is no distinguished name: {e.Message}", e);
        }
    }

    private static void CheckCertificate(byte[] der)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(der);
        }
        catch (CryptographicException e)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, "an authority's certificate is none: give it in PEM", e);
        }
    }

    private static bool IsText(string text, int length) => text.Length > 0 && text.Length <= length && !text.Any(char.IsControl);

    private static void Require(bool condition, string message)
    {
        if (!condition)
            throw new CandelaException(ErrorCode.InvalidArgument, message);
    }
}
