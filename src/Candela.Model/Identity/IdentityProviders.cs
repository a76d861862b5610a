namespace Candela.Model.Identity;

/// <summary>An identity provider elsewhere, by which accounts of a domain sign in.</summary>
public sealed record IdentityProviderReport
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Domain whose accounts sign in by it.</summary>
    public required string Domain { get; init; }

    /// <summary><c>openid</c> or <c>ldap</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>What people are told to sign in with.</summary>
    public string? DisplayName { get; init; }

    /// <summary>Issuer of an OpenID provider.</summary>
    public string? Issuer { get; init; }

    /// <summary>What Candela is called there.</summary>
    public string? ClientId { get; init; }

    /// <summary><c>client_secret_basic</c>, <c>client_secret_post</c> or <c>none</c>.</summary>
    public string? Authentication { get; init; }

    /// <summary>Scopes that are asked for.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>Path of the address to register there as redirect address, below the public URL.</summary>
    public string? RedirectPath { get; init; }

    /// <summary>Address of an LDAP directory: <c>ldaps://HOST:PORT</c>, or <c>ldap://HOST:PORT</c> with StartTLS.</summary>
    public string? Address { get; init; }

    /// <summary>Distinguished name that searches.</summary>
    public string? BindName { get; init; }

    /// <summary>Where people are searched for.</summary>
    public string? BaseName { get; init; }

    /// <summary>Object class of people.</summary>
    public string? ObjectClass { get; init; }

    /// <summary>Where groups are searched for.</summary>
    public string? GroupBaseName { get; init; }

    /// <summary>A secret is kept.</summary>
    public required bool HasSecret { get; init; }

    /// <summary>SHA-256 of the certificates of the authorities that its server's must be of, hexadecimal; empty: those that the host trusts.</summary>
    public required IReadOnlyList<string> Authorities { get; init; }

    /// <summary>Accounts are made for whoever it vouches for.</summary>
    public required bool CreateAccounts { get; init; }

    /// <summary>It is on the sign-in page.</summary>
    public required bool Listed { get; init; }

    /// <summary>Its groups of which one is needed; empty: none.</summary>
    public required IReadOnlyList<string> RequiredGroups { get; init; }

    /// <summary>Its groups, and names of the domain's that membership goes over to.</summary>
    public required IReadOnlyDictionary<string, string> Groups { get; init; }

    /// <summary>What it calls what is learnt of somebody, where that is not the default.</summary>
    public required IReadOnlyDictionary<string, string> Attributes { get; init; }

    /// <summary>It may be used.</summary>
    public required bool Enabled { get; init; }

    /// <summary>When it was registered.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>For updates that must not overwrite another one.</summary>
    public required long Revision { get; init; }
}

/// <summary>Registration or change of an identity provider: what is absent stays, or has its default.</summary>
public sealed record IdentityProviderRequest
{
    /// <summary>Name; of a registration only.</summary>
    public string? Name { get; init; }

    /// <summary>What people are told to sign in with; empty: the name.</summary>
    public string? DisplayName { get; init; }

    /// <summary>Issuer, of an OpenID provider.</summary>
    public string? Issuer { get; init; }

    /// <summary>What Candela is called there.</summary>
    public string? ClientId { get; init; }

    /// <summary><c>client_secret_basic</c> (default), <c>client_secret_post</c> or <c>none</c>.</summary>
    public string? Authentication { get; init; }

    /// <summary>Scopes to ask for (default <c>openid profile email</c>).</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>Address of an LDAP directory: <c>ldaps://HOST[:PORT]</c>, or <c>ldap://HOST[:PORT]</c> with StartTLS.</summary>
    public string? Address { get; init; }

    /// <summary>Distinguished name that searches; empty: anonymous.</summary>
    public string? BindName { get; init; }

    /// <summary>Where people are searched for.</summary>
    public string? BaseName { get; init; }

    /// <summary>Object class of people (default <c>person</c>).</summary>
    public string? ObjectClass { get; init; }

    /// <summary>Where groups that have somebody as member are searched for; empty: the entry's own attribute tells.</summary>
    public string? GroupBaseName { get; init; }

    /// <summary>Secret of the client, or password of <see cref="BindName"/>; empty: none.</summary>
    public string? Secret { get; init; }

    /// <summary>Certificates (PEM) of the authorities that its server's must be of; empty: those that the host trusts.</summary>
    public IReadOnlyList<string>? Authorities { get; init; }

    /// <summary>Accounts are made for whoever it vouches for.</summary>
    public bool? CreateAccounts { get; init; }

    /// <summary>It is on the sign-in page.</summary>
    public bool? Listed { get; init; }

    /// <summary>Its groups of which one is needed.</summary>
    public IReadOnlyList<string>? RequiredGroups { get; init; }

    /// <summary>Its groups, and names of the domain's that membership goes over to.</summary>
    public IReadOnlyDictionary<string, string>? Groups { get; init; }

    /// <summary>What it calls <c>name</c>, <c>display-name</c>, <c>given-name</c>, <c>surname</c>, <c>mail</c>, <c>groups</c> and, of LDAP entries, <c>id</c>.</summary>
    public IReadOnlyDictionary<string, string>? Attributes { get; init; }

    /// <summary>It may be used.</summary>
    public bool? Enabled { get; init; }

    /// <summary>Revision that it must have; absent: any.</summary>
    public long? Revision { get; init; }
}

/// <summary>A subject of an identity provider that is an account here.</summary>
/// <param name="Subject">Id there.</param>
/// <param name="Account">Name of the account; absent: it has been deleted.</param>
/// <param name="AccountId">Its id.</param>
/// <param name="OwnsAccount">The account was made for the subject.</param>
/// <param name="CreatedAt">Since when.</param>
public sealed record IdentityLinkReport(string Subject, string? Account, Guid AccountId, bool OwnsAccount, DateTimeOffset CreatedAt);

/// <summary>A link to make.</summary>
/// <param name="User">Name of the user.</param>
/// <param name="Subject">Id at the provider: <c>sub</c>, or an entry's id.</param>
public sealed record IdentityLinkRequest(string? User, string? Subject);
