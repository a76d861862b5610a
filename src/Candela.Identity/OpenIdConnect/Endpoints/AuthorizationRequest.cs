using System.Globalization;
using Candela.Identity.Jose;
using Candela.Identity.OpenIdConnect.Clients;
using Microsoft.Extensions.Primitives;

namespace Candela.Identity.OpenIdConnect.Endpoints;

/// <summary>A request for a sign-in (OAuth 2.1, section 4.1.1; OpenID Connect Core, section 3.1.2.1).</summary>
internal sealed record AuthorizationRequest
{
    /// <summary>Longest <c>state</c> and <c>nonce</c>, characters.</summary>
    private const int TextLength = 1024;

    private static readonly string[] Prompts = ["none", "login", "consent", "select_account"];

    public required OAuthClient Client { get; init; }

    public required string RedirectUri { get; init; }

    public string? State { get; init; }

    public IReadOnlyList<string> Scopes { get; init; } = [];

    public IReadOnlyList<string> Audiences { get; init; } = [];

    public string Challenge { get; init; } = "";

    public string? Nonce { get; init; }

    public IReadOnlyList<string> Prompt { get; init; } = [];

    /// <summary>Most time since the sign-in; null: any.</summary>
    public TimeSpan? MaximumAge { get; init; }

    /// <summary>
    /// To whom, and where the answer goes: until both are certain nobody is led anywhere (RFC 9700, section 4.11.2).
    /// </summary>
    /// <exception cref="OAuthException">The request leads nowhere.</exception>
    public static async Task<AuthorizationRequest> BeginAsync(IReadOnlyDictionary<string, StringValues> query, ClientStore clients, CancellationToken cancellationToken)
    {
        if (One(query, "client_id") is not { } id || await clients.FindEnabledAsync(id, cancellationToken) is not { } client)
            throw OAuthException.InvalidRequest("The application is not known here. Ask its operator to register it.");
        if (!client.Grants.Contains(GrantTypes.AuthorizationCode))
            throw OAuthException.InvalidRequest($"{client.ShownName} may not sign people in by this page.");
        // Required even if only one is registered.
        if (One(query, "redirect_uri") is not { } redirect || !RedirectUris.Contains(client.RedirectUris, redirect))
            throw OAuthException.InvalidRequest($"{client.ShownName} wants you to be led to an address that is not registered for it. Do not go on; tell its operator.");
        return new AuthorizationRequest { Client = client, RedirectUri = redirect, State = One(query, "state") is { Length: <= TextLength } state ? state : null };
    }

    /// <summary>All the rest.</summary>
    /// <exception cref="OAuthException">To be told to the client.</exception>
    public AuthorizationRequest Complete(IReadOnlyDictionary<string, StringValues> query)
    {
        if (query.FirstOrDefault(parameter => parameter.Value.Count > 1 && parameter.Key != "resource") is { Key: { } twice })
            throw OAuthException.InvalidRequest($"the parameter {twice} is there twice");
        if (One(query, "state")?.Length > TextLength || One(query, "nonce")?.Length > TextLength)
            throw OAuthException.InvalidRequest($"state and nonce have at most {TextLength} characters");
        if (query.ContainsKey("request"))
            throw new OAuthException("request_not_supported", "request objects are not supported");
        if (query.ContainsKey("request_uri"))
            throw new OAuthException("request_uri_not_supported", "request objects are not supported");
        if (One(query, "response_type") != "code")
            throw new OAuthException("unsupported_response_type", "response_type must be code");
        if (One(query, "response_mode") is not (null or "query"))
            throw OAuthException.InvalidRequest("response_mode must be query");
        // Plain, or none at all, would let whoever sees the code redeem it.
        if (One(query, "code_challenge_method") != "S256" || One(query, "code_challenge") is not { } challenge || Base64UrlText.TryDecode(challenge) is not { Length: 32 })
            throw OAuthException.InvalidRequest("a code_challenge with code_challenge_method=S256 is required (PKCE, RFC 7636)");
        var prompt = (One(query, "prompt") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (prompt.Any(value => !Prompts.Contains(value)) || (prompt.Contains("none") && prompt.Length > 1))
            throw OAuthException.InvalidRequest("prompt must be none, or some of login, consent and select_account");
        TimeSpan? age = One(query, "max_age") is not { } text ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? TimeSpan.FromSeconds(seconds)
            : throw OAuthException.InvalidRequest("max_age must be a number of seconds");
        return this with
        {
            Scopes = ScopesOf(Client, One(query, "scope")),
            Audiences = AudiencesOf(Client, query.TryGetValue("resource", out var resources) ? resources : []),
            Challenge = challenge,
            Nonce = One(query, "nonce"),
            Prompt = prompt,
            MaximumAge = age,
        };
    }

    /// <summary>What is asked for, and the client may have; nothing asked: nothing.</summary>
    /// <exception cref="OAuthException">invalid_scope.</exception>
    public static IReadOnlyList<string> ScopesOf(OAuthClient client, string? text)
    {
        string[] scopes = [.. (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct()];
        return scopes.All(client.Scopes.Contains) ? scopes : throw OAuthException.InvalidScope($"the client may have these scopes only: {string.Join(' ', client.Scopes)}");
    }

    /// <summary>For whom tokens are asked (RFC 8707, section 2), and the client may have them; nothing asked: its first audience, if it has any.</summary>
    /// <exception cref="OAuthException">invalid_target.</exception>
    public static IReadOnlyList<string> AudiencesOf(OAuthClient client, StringValues resources)
    {
        if (resources.Count == 0)
            return client.Audiences.Count == 0 ? [] : [client.Audiences[0]];
        string[] asked = [.. resources.OfType<string>().Distinct()];
        return asked.All(client.Audiences.Contains) ? asked : throw OAuthException.InvalidTarget("the client may not have tokens for this resource");
    }

    private static string? One(IReadOnlyDictionary<string, StringValues> query, string name) =>
        query.TryGetValue(name, out var values) && values is [{ Length: > 0 } value] ? value : null;
}
