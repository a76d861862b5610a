using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Candela.Identity.Federation;

/// <summary>An identity provider elsewhere, by which accounts of one domain sign in here: an OpenID provider or an LDAP directory.</summary>
public sealed record IdentityProvider
{
    /// <summary>Name by which it is administered, part of its addresses here: 1 to 63 of <c>a-z 0-9 -</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Domain whose accounts sign in by it; never changes.</summary>
    public required Guid DomainId { get; init; }

    /// <summary>What people are told to sign in with; null: the name.</summary>
    public string? DisplayName { get; init; }

    /// <summary>False: nobody signs in by it.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>An OpenID provider is on the sign-in page, for everybody to see; else people are given its address.</summary>
    public bool Listed { get; init; } = true;

    /// <summary>Whoever it vouches for and is not linked to an account yet gets one. Else an account is linked first.</summary>
    public bool CreateAccounts { get; init; }

    /// <summary>Its groups of whose members it must be one at least; empty: everybody that it vouches for.</summary>
    public IReadOnlyList<string> RequiredGroups { get; init; } = [];

    /// <summary>Its groups, and the group of the domain that membership goes over to, at each sign-in.</summary>
    public IReadOnlyDictionary<string, Guid> Groups { get; init; } = ImmutableDictionary<string, Guid>.Empty;

    /// <summary>What it calls the things that <see cref="ProfileAttributes"/> names; those that are absent have its defaults.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>How it is spoken to, when it is an OpenID provider.</summary>
    public OpenIdUpstream? OpenId { get; init; }

    /// <summary>How it is spoken to, when it is an LDAP directory.</summary>
    public LdapUpstream? Ldap { get; init; }

    /// <summary>Certificates (DER) of the authorities that its server's certificate must be of; empty: those that this host trusts.</summary>
    public IReadOnlyList<byte[]> Authorities { get; init; } = [];

    /// <summary>Secret of the client, or password of the bind, sealed; null: none.</summary>
    public byte[]? SealedSecret { get; init; }

    /// <summary>When it was registered.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Revision of the state store that last changed it.</summary>
    [JsonIgnore]
    public long Revision { get; init; }

    /// <summary>Name as shown to people.</summary>
    [JsonIgnore]
    public string ShownName => DisplayName ?? Name;

    /// <summary>What it calls a thing of <see cref="ProfileAttributes"/>.</summary>
    public string SourceOf(string attribute) =>
        Attributes.GetValueOrDefault(attribute) ?? (Ldap is null ? ProfileAttributes.OpenId : ProfileAttributes.Ldap)[attribute];
}

/// <summary>How an OpenID provider is spoken to (OpenID Connect Core, section 3.1; RFC 9700).</summary>
/// <param name="Issuer">Its issuer identifier, compared exactly; https.</param>
/// <param name="ClientId">What Candela is called there.</param>
/// <param name="Authentication">How Candela proves itself there.</param>
/// <param name="Scopes">What is asked for; <c>openid</c> among them.</param>
public sealed record OpenIdUpstream(string Issuer, string ClientId, UpstreamClientAuthentication Authentication, IReadOnlyList<string> Scopes);

/// <summary>How Candela proves itself to an OpenID provider (OpenID Connect Core, section 9).</summary>
public enum UpstreamClientAuthentication
{
    /// <summary><c>client_secret_basic</c></summary>
    SecretBasic,

    /// <summary><c>client_secret_post</c></summary>
    SecretPost,

    /// <summary>Not at all: PKCE alone.</summary>
    None,
}

/// <summary>How an LDAP directory is spoken to (RFC 4511, RFC 4513). Always under TLS.</summary>
/// <param name="Host">Name or address, as its certificate has it.</param>
/// <param name="Port">Port.</param>
/// <param name="StartTls">TLS begins by StartTLS; else with the connection.</param>
/// <param name="BindName">Distinguished name that searches; null: nobody (anonymous).</param>
/// <param name="BaseName">Where people are searched for.</param>
/// <param name="ObjectClass">Object class of people.</param>
/// <param name="GroupBaseName">Where groups that have somebody as <c>member</c> or <c>uniqueMember</c> are searched for; null: an entry's own attribute tells its groups.</param>
public sealed record LdapUpstream(string Host, int Port, bool StartTls, string? BindName, string BaseName, string ObjectClass, string? GroupBaseName);
