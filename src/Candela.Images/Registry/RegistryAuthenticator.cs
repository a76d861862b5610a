using System.Net.Http.Headers;
using System.Text;
using Candela.Model;

namespace Candela.Images.Registry;

/// <summary>Answers a registry's challenges for one repository and remembers how. Safe for use from many threads.</summary>
/// <param name="tokens">Gets bearer tokens.</param>
/// <param name="scope">What is to be done (distribution-spec, token scope), for example <c>repository:a/b:pull</c>; several separated by spaces.</param>
/// <param name="isScopeFixed">Ask for that scope even where a challenge names another one: an upload begins with requests that need less.</param>
/// <param name="credential">Credential, or null.</param>
internal sealed class RegistryAuthenticator(TokenClient tokens, string scope, bool isScopeFixed, RegistryCredential? credential)
{
    private const string BearerScheme = "Bearer";
    private const string BasicScheme = "Basic";
    private AuthenticationChallenge? _challenge;

    /// <summary>The Authorization header of HTTP basic authentication.</summary>
    public static AuthenticationHeaderValue Basic(RegistryCredential credential)
        => new(BasicScheme, Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.Username}:{credential.Password}")));

    /// <summary>What to send at once, from what earlier challenges asked for; null before the first.</summary>
    public Task<AuthenticationHeaderValue?> GetAsync(Uri registry, CancellationToken cancellationToken)
        => AuthorizeAsync(Volatile.Read(ref _challenge), registry, null, cancellationToken);

    /// <summary>Answers the challenge of a 401 response.</summary>
    /// <param name="challenges">What the registry asks for.</param>
    /// <param name="registry">Its address.</param>
    /// <param name="refused">What was sent with the request, or null.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What to send instead; null when there is nothing else to try.</returns>
    /// <exception cref="CandelaException">Unauthenticated when credentials are needed and there are none, and as <see cref="TokenClient.GetAsync"/>.</exception>
    public async Task<AuthenticationHeaderValue?> AnswerAsync(
        IReadOnlyList<AuthenticationChallenge> challenges, Uri registry, AuthenticationHeaderValue? refused, CancellationToken cancellationToken)
    {
        var challenge = challenges.FirstOrDefault(static one => one.Is(BearerScheme)) ?? challenges.FirstOrDefault(static one => one.Is(BasicScheme));
        if (challenge is null || (challenge.Is(BasicScheme) && refused?.Scheme == BasicScheme))
            return null;
        if (challenge.Is(BasicScheme) && credential is not { Username.Length: > 0 })
            throw new CandelaException(ErrorCode.Unauthenticated, $"the registry {registry.Authority} needs a user name and password: no basic auth credentials; log in with 'docker login {registry.Authority}'");
        if (isScopeFixed)
            challenge = challenge with { Parameters = new Dictionary<string, string>(challenge.Parameters, StringComparer.OrdinalIgnoreCase) { ["scope"] = scope } };
        Volatile.Write(ref _challenge, challenge);
        return await AuthorizeAsync(challenge, registry, refused, cancellationToken).ConfigureAwait(false);
    }

    private async Task<AuthenticationHeaderValue?> AuthorizeAsync(
        AuthenticationChallenge? challenge, Uri registry, AuthenticationHeaderValue? refused, CancellationToken cancellationToken)
    {
        if (challenge is null)
            return null;
        if (challenge.Is(BasicScheme))
            return credential is null ? null : Basic(credential);
        var token = await tokens.GetAsync(challenge, scope, registry, refused?.Scheme == BearerScheme ? refused.Parameter : null, cancellationToken).ConfigureAwait(false);
        return new AuthenticationHeaderValue(BearerScheme, token);
    }
}
