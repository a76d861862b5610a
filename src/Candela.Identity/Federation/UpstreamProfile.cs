namespace Candela.Identity.Federation;

/// <summary>Somebody whom an identity provider vouches for.</summary>
/// <param name="Subject">Id there: the one thing by which an account is found.</param>
internal sealed record UpstreamProfile(string Subject)
{
    /// <summary>Name that an account would have.</summary>
    public string? Name { get; init; }

    public string? DisplayName { get; init; }

    public string? GivenName { get; init; }

    public string? Surname { get; init; }

    /// <summary>Verified mail address.</summary>
    public string? Mail { get; init; }

    public IReadOnlyList<string> Groups { get; init; } = [];
}
