using System.Text.Json.Serialization;

namespace Candela.Identity.Acme;

/// <summary>States of accounts, orders, authorizations and challenges (RFC 8555, section 7.1.6).</summary>
internal enum AcmeStatus
{
    Pending,
    Processing,
    Ready,
    Valid,
    Invalid,
    Deactivated,
    Revoked,
    Expired,
}

/// <summary>An account.</summary>
internal sealed record AcmeAccount
{
    public required string Id { get; init; }

    /// <summary>Its public key in canonical form (RFC 7638).</summary>
    public required string Key { get; init; }

    public required string Thumbprint { get; init; }

    public IReadOnlyList<string> Contacts { get; init; } = [];

    public AcmeStatus Status { get; init; } = AcmeStatus.Valid;

    /// <summary>External account that it is bound to; null: to none, the open domains are all it may ask for.</summary>
    public string? External { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>An external account (RFC 8555, section 7.3.4): lets one ACME account act for somebody that Candela knows.</summary>
internal sealed record AcmeExternal
{
    public required string Id { get; init; }

    /// <summary>HMAC key, sealed.</summary>
    public required byte[] Key { get; init; }

    /// <summary>Whom it acts for.</summary>
    public required string Owner { get; init; }

    /// <summary>Domains whose names it may ask for.</summary>
    public required IReadOnlyList<string> Domains { get; init; }

    /// <summary>Until when an account can be bound to it.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Account that is bound to it; null: none yet.</summary>
    public string? Account { get; init; }

    /// <summary>It may no longer be used.</summary>
    public bool Withdrawn { get; init; }
}

/// <summary>An order.</summary>
internal sealed record AcmeOrder
{
    public required string Id { get; init; }

    public required string Account { get; init; }

    public required IReadOnlyList<string> Names { get; init; }

    public required IReadOnlyList<string> Authorizations { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public AcmeStatus Status { get; init; } = AcmeStatus.Pending;

    /// <summary>Certificate's authority and serial number; null: not issued.</summary>
    public string? Authority { get; init; }

    public string? Serial { get; init; }

    public AcmeError? Error { get; init; }
}

/// <summary>An account's right to a name.</summary>
internal sealed record AcmeAuthorization
{
    public required string Id { get; init; }

    public required string Account { get; init; }

    public required string Order { get; init; }

    public required string Name { get; init; }

    /// <summary>Token of all its challenges: one is enough, each proves something else.</summary>
    public required string Token { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public AcmeStatus Status { get; init; } = AcmeStatus.Pending;

    /// <summary>Type of the challenge that was tried; null: none yet.</summary>
    public string? Challenge { get; init; }

    public DateTimeOffset? ValidatedAt { get; init; }

    public AcmeError? Error { get; init; }
}

/// <summary>Why an order or a challenge failed.</summary>
/// <param name="Type">Last part of the error's URN.</param>
/// <param name="Detail">For the client's user.</param>
internal sealed record AcmeError(string Type, string Detail);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(AcmeAccount))]
[JsonSerializable(typeof(AcmeExternal))]
[JsonSerializable(typeof(AcmeOrder))]
[JsonSerializable(typeof(AcmeAuthorization))]
internal sealed partial class AcmeJson : JsonSerializerContext;
