using System.Text.Json;
using Candela.Cli.Output;

namespace Candela.Cli.Remote;

/// <summary>Sign-in with a browser anywhere (RFC 8628): this program shows a code, and waits.</summary>
internal static class DeviceSignIn
{
    private const int DefaultIntervalSeconds = 5;
    private const int SlowDownSeconds = 5;

    /// <returns>Answer of the token endpoint.</returns>
    public static JsonElement Run(Provider provider)
    {
        var begun = provider.Post("device_authorization_endpoint", ("client_id", Provider.CommandLineClient), ("scope", "offline_access"), ("resource", provider.Audience));
        string deviceCode = Text(begun, "device_code");
        string address = begun.TryGetProperty("verification_uri_complete", out var complete) ? complete.GetString()! : Text(begun, "verification_uri");
        Writer.Error($"Open {address}\nand make sure that it shows the code {Text(begun, "user_code")}.");
        int interval = begun.TryGetProperty("interval", out var seconds) ? seconds.GetInt32() : DefaultIntervalSeconds;
        var deadline = DateTimeOffset.UtcNow.AddSeconds(begun.GetProperty("expires_in").GetInt32());
        while (DateTimeOffset.UtcNow < deadline)
        {
            Thread.Sleep(TimeSpan.FromSeconds(interval));
            try
            {
                return provider.Post("token_endpoint", ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", deviceCode), ("client_id", Provider.CommandLineClient));
            }
            catch (OAuthErrorException exception) when (exception.Error == "authorization_pending")
            {
                // Not yet.
            }
            catch (OAuthErrorException exception) when (exception.Error == "slow_down")
            {
                interval += SlowDownSeconds;
            }
        }
        throw new TimeoutException("nobody has answered in time: begin again");
    }

    private static string Text(JsonElement answer, string name) =>
        answer.TryGetProperty(name, out var value) && value.GetString() is { Length: > 0 } text ? text : throw new InvalidOperationException($"the daemon's answer has no {name}");
}
