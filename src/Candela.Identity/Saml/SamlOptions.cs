namespace Candela.Identity.Saml;

/// <summary>Options of the SAML identity provider.</summary>
public sealed record SamlOptions
{
    /// <summary>Address at which browsers reach the identity provider, without a path, for example <c>https://id.example.org</c>.</summary>
    public required Uri BaseUrl { get; init; }

    /// <summary>Bits of signing keys (RSA).</summary>
    public int KeyBits { get; init; } = 3072;

    /// <summary>How long a key signs.</summary>
    public TimeSpan KeyLifetime { get; init; } = TimeSpan.FromDays(2 * 365);

    /// <summary>How long a key is in the metadata before it signs, and after: service providers must have read the metadata by then.</summary>
    public TimeSpan KeyOverlap { get; init; } = TimeSpan.FromDays(60);

    /// <summary>How long an assertion may be used.</summary>
    public TimeSpan AssertionLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How old a request may be when it comes in; its ID is remembered for this long.</summary>
    public TimeSpan RequestLifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How much others' clocks may be ahead.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>How long somebody may take to sign in once a request has come in.</summary>
    public TimeSpan SignInTime { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>How long a service provider's session is known for logout.</summary>
    public TimeSpan SessionLifetime { get; init; } = TimeSpan.FromHours(12);

    /// <summary>How long a logout may take that passes by several service providers.</summary>
    public TimeSpan LogoutTime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Entity id of the identity provider, and address of its metadata.</summary>
    internal string EntityId => Address("saml/metadata");

    /// <summary>Where requests for sign-in come in, by Redirect and POST.</summary>
    internal string SignOnAddress => Address("saml/sso");

    /// <summary>Where logout messages come in, by Redirect and POST.</summary>
    internal string LogoutAddress => Address("saml/slo");

    private string Address(string path) => new Uri(BaseUrl, path).AbsoluteUri;
}
