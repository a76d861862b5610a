namespace Candela.Identity.Saml.Assertions;

/// <summary>What an assertion says.</summary>
internal sealed record AssertionContent
{
    public required string Issuer { get; init; }

    /// <summary>Entity id of the service provider that it is for.</summary>
    public required string Audience { get; init; }

    /// <summary>Where it may be delivered.</summary>
    public required string Recipient { get; init; }

    /// <summary>ID of the request that it answers.</summary>
    public required string InResponseTo { get; init; }

    public required string NameIdFormat { get; init; }

    public required string NameId { get; init; }

    public required string SessionIndex { get; init; }

    /// <summary>When the account proved who it is.</summary>
    public required DateTimeOffset SignedInAt { get; init; }

    /// <summary>How it did (AuthnContextClassRef).</summary>
    public required string Context { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>Not valid from here on.</summary>
    public required DateTimeOffset NotOnOrAfter { get; init; }

    /// <summary>How much the service provider's clock may be behind.</summary>
    public required TimeSpan ClockSkew { get; init; }

    /// <summary>The service provider's session ends with this one.</summary>
    public required DateTimeOffset SessionNotOnOrAfter { get; init; }

    /// <summary>Names and values; those without a value are left out.</summary>
    public required IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> Attributes { get; init; }
}
