using System.Text;
using System.Text.Json;

namespace Candela.Cli.Remote;

/// <summary>
/// The access token of a context, renewed when it is about to end. A refresh token is good once, and a second use of it ends the sign-in, so
/// processes of one user take turns, and whoever waited looks first whether it has been renewed meanwhile.
/// </summary>
internal sealed class Tokens(ContextStore store, string name)
{
    /// <summary>What a token must be good for at least when it is sent.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(30);

    private readonly Lock one = new();
    private SavedContext? known;

    /// <summary>A token that is good for now; null: nobody is signed in.</summary>
    /// <exception cref="InvalidOperationException">The sign-in has ended.</exception>
    public string? Current()
    {
        lock (one)
        {
            known ??= store.Get(name);
            if (IsGood(known))
                return known.AccessToken;
            if (known is { RefreshToken: null, ClientSecret: null })
                return null;
            using (store.Lock())
            {
                known = store.Get(name);
                if (!IsGood(known))
                    store.Save(name, known = Renew(known));
                return known.AccessToken;
            }
        }
    }

    /// <summary>The context with the tokens of an answer of the token endpoint (RFC 6749, section 5.1).</summary>
    public static SavedContext With(SavedContext context, JsonElement answer)
    {
        if (!(answer.TryGetProperty("access_token", out var access) && answer.TryGetProperty("token_type", out var type) && type.GetString() is { } kind && kind.Equals("Bearer", StringComparison.OrdinalIgnoreCase)))
            throw new InvalidOperationException($"{context.Url} answered without a bearer token");
        return context with
        {
            AccessToken = access.GetString(),
            ExpiresAt = DateTimeOffset.UtcNow.AddSeconds(answer.TryGetProperty("expires_in", out var seconds) ? seconds.GetInt64() : 0),
            RefreshToken = answer.TryGetProperty("refresh_token", out var refresh) ? refresh.GetString() : context.RefreshToken,
        };
    }

    /// <summary>A client's token for itself (RFC 6749, section 4.4).</summary>
    public static SavedContext ForClient(SavedContext context) => With(context, Provider.Post(
        context.Address(null), context.TokenPath!, Basic(context), ("grant_type", "client_credentials"), ("resource", context.Url + "/v1")));

    /// <summary>Ends the sign-in at the provider (RFC 7009).</summary>
    public static void Revoke(SavedContext context)
    {
        if ((context.RefreshToken ?? context.AccessToken) is not { } token || context.RevocationPath is not { } path)
            return;
        if (context.ClientSecret is null)
            Provider.Post(context.Address(null), path, null, ("token", token), ("client_id", context.ClientId!));
        else
            Provider.Post(context.Address(null), path, Basic(context), ("token", token));
    }

    private static bool IsGood(SavedContext context) => context.AccessToken is not null && context.ExpiresAt - DateTimeOffset.UtcNow > Margin;

    private static SavedContext Renew(SavedContext context)
    {
        try
        {
            return context.ClientSecret is not null
                ? ForClient(context)
                : With(context, Provider.Post(context.Address(null), context.TokenPath!, null, ("grant_type", "refresh_token"), ("refresh_token", context.RefreshToken!), ("client_id", context.ClientId!)));
        }
        catch (OAuthErrorException exception) when (exception.Error is "invalid_grant" or "invalid_client" or "unauthorized_client")
        {
            throw new InvalidOperationException($"the sign-in at {context.Url} has ended: candela login {context.Url}", exception);
        }
    }

    /// <summary>RFC 6749, section 2.3.1.</summary>
    private static string Basic(SavedContext context) =>
        "Basic " + Convert.ToBase64String(Encoding.ASCII.GetBytes($"{Uri.EscapeDataString(context.ClientId!)}:{Uri.EscapeDataString(context.ClientSecret!)}"));
}
