using System.Text.Json.Serialization;

namespace Candela.Identity.Saml.Providers;

/// <summary>A service provider: a program that lets the accounts of one domain sign in by SAML.</summary>
public sealed record SamlServiceProvider
{
    /// <summary>Name by which it is administered: 1 to 63 of <c>a-z 0-9 -</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Domain whose accounts may sign in there, and whose administrators administer it.</summary>
    public required Guid DomainId { get; init; }

    /// <summary>What people are told to sign in to; null: the name.</summary>
    public string? DisplayName { get; init; }

    /// <summary>Its entity id, unique; compared exactly.</summary>
    public required string EntityId { get; init; }

    /// <summary>Where responses go, by POST: exact addresses, the first is the default. https, or http on this host's own loopback.</summary>
    public required IReadOnlyList<SamlEndpoint> AssertionConsumers { get; init; }

    /// <summary>Where logout messages go; null: it is left out of single logout.</summary>
    public SamlLogoutEndpoint? Logout { get; init; }

    /// <summary>Certificates (DER) whose keys sign its messages. Their names, dates and issuers count for nothing.</summary>
    public IReadOnlyList<byte[]> SigningCertificates { get; init; } = [];

    /// <summary>Certificate (DER) whose key assertions are encrypted for; null: they are not encrypted.</summary>
    public byte[]? EncryptionCertificate { get; init; }

    /// <summary>Requests for sign-in must be signed.</summary>
    public bool RequireSignedRequests { get; init; }

    /// <summary>Kind of name identifier where a request asks for none.</summary>
    public SamlNameIdKind NameId { get; init; } = SamlNameIdKind.Persistent;

    /// <summary>Attributes that it gets: its name for them, and what they are (<see cref="SamlAttributes"/>).</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = SamlAttributes.Default;

    /// <summary>Groups of the domain whose members may sign in there, directly or through others; empty: every account of the domain.</summary>
    public IReadOnlyList<Guid> AllowedGroups { get; init; } = [];

    /// <summary>Whether it may be used at all.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>When it was registered.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Revision of the state store that last changed it.</summary>
    [JsonIgnore]
    public long Revision { get; init; }
}

/// <summary>Where responses go.</summary>
/// <param name="Index">Number by which requests may refer to it.</param>
/// <param name="Location">Address.</param>
public sealed record SamlEndpoint(int Index, string Location);

/// <summary>Where logout messages go.</summary>
/// <param name="Location">Where requests go.</param>
/// <param name="ResponseLocation">Where responses go.</param>
/// <param name="Post">By POST; else by Redirect.</param>
public sealed record SamlLogoutEndpoint(string Location, string ResponseLocation, bool Post);

/// <summary>Kind of name identifier.</summary>
public enum SamlNameIdKind
{
    /// <summary>Opaque, for ever the same at this service provider, another at each.</summary>
    Persistent,

    /// <summary>The account's mail address, where only one account of the domain has it.</summary>
    Email,

    /// <summary>Opaque, another each time.</summary>
    Transient,
}
