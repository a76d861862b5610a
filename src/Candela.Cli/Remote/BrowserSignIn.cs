using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Candela.Cli.Output;

namespace Candela.Cli.Remote;

/// <summary>Sign-in with a browser on this host (RFC 8252): authorization code with PKCE, led back to a port of the loopback.</summary>
internal static class BrowserSignIn
{
    private const int SecretBytes = 32;

    private static readonly TimeSpan AnswerTime = TimeSpan.FromMinutes(5);

    /// <returns>Answer of the token endpoint.</returns>
    public static JsonElement Run(Provider provider)
    {
        using var answer = LoopbackAnswer.Listen();
        string verifier = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        string state = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        string address = provider.Issuer + Api.Routes.Query(
            provider.PathOf("authorization_endpoint"),
            ("response_type", "code"),
            ("client_id", Provider.CommandLineClient),
            ("redirect_uri", answer.Address),
            ("scope", "offline_access"),
            ("resource", provider.Audience),
            ("state", state),
            ("code_challenge_method", "S256"),
            ("code_challenge", Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)))));
        Writer.Error($"Sign in by a browser on this host:\n{address}");
        Open(address);
        var fields = answer.Wait(AnswerTime);
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(fields.GetValueOrDefault("state", "")), Encoding.ASCII.GetBytes(state)))
            throw new InvalidOperationException("the browser brought the answer to another question (its state is not ours): begin again");
        // RFC 9207: or the answer of another provider could be taken for this one's.
        if (fields.GetValueOrDefault("iss") != provider.Issuer)
            throw new InvalidOperationException($"the browser brought an answer that is not of {provider.Issuer}: begin again");
        if (fields.TryGetValue("error", out string? error))
            throw new OAuthErrorException(error, fields.GetValueOrDefault("error_description", "the sign-in was refused"));
        return provider.Post(
            "token_endpoint",
            ("grant_type", "authorization_code"),
            ("code", fields.GetValueOrDefault("code", "")),
            ("redirect_uri", answer.Address),
            ("code_verifier", verifier),
            ("client_id", Provider.CommandLineClient));
    }

    /// <summary>Whoever has no such program opens the address by hand.</summary>
    private static void Open(string address)
    {
        try
        {
            using var opener = Process.Start(new ProcessStartInfo("xdg-open", [address]) { RedirectStandardOutput = true, RedirectStandardError = true });
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // As said.
        }
    }
}
