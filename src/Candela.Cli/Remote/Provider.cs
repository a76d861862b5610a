using System.Text;
using System.Text.Json;
using Candela.Cli.Http;

namespace Candela.Cli.Remote;

/// <summary>The daemon as OAuth 2.1 provider: what it can do, and calls to it.</summary>
internal sealed class Provider
{
    /// <summary>The provider's client for this program.</summary>
    public const string CommandLineClient = "candela-cli";

    private const string MetadataPath = "/.well-known/oauth-authorization-server";

    private readonly RemoteAddress address;
    private readonly JsonElement metadata;

    private Provider(RemoteAddress address, JsonElement metadata) => (this.address, this.metadata) = (address, metadata);

    /// <summary>Audience of tokens for the REST API.</summary>
    public string Audience => address + "/v1";

    /// <summary>Identifier of the provider (RFC 8414, section 2).</summary>
    public string Issuer => address.ToString();

    /// <summary>Asks the provider what it can do (RFC 8414, section 3).</summary>
    /// <exception cref="InvalidOperationException">It calls itself differently, or leads elsewhere.</exception>
    public static Provider Discover(RemoteAddress address)
    {
        using var client = new DaemonClient(address);
        JsonElement metadata;
        try
        {
            using var document = JsonDocument.Parse(client.GetJson(MetadataPath));
            metadata = document.RootElement.Clone();
        }
        catch (JsonException exception)
        {
            throw new InvalidOperationException($"{address} is no candelad: it has no {MetadataPath}", exception);
        }
        string issuer = metadata.TryGetProperty("issuer", out var value) ? value.GetString() ?? "" : "";
        // Section 3.3: or one provider's answers could be another's.
        return issuer == address.ToString()
            ? new Provider(address, metadata)
            : throw new InvalidOperationException($"the daemon at {address} calls itself {issuer}: sign in there (candela login {issuer}), or start it with that --public-url");
    }

    /// <summary>Path of an endpoint, which must be at the provider itself: tokens and secrets go nowhere else.</summary>
    public string PathOf(string endpoint)
    {
        string url = metadata.TryGetProperty(endpoint, out var value) ? value.GetString() ?? "" : "";
        return url.StartsWith(address + "/", StringComparison.Ordinal)
            ? url[address.ToString().Length..]
            : throw new InvalidOperationException($"{address} names no {endpoint} of its own");
    }

    /// <summary>Posts a form to an endpoint.</summary>
    /// <param name="address">Provider.</param>
    /// <param name="path">Path of the endpoint.</param>
    /// <param name="authorization">Header Authorization; null: none.</param>
    /// <param name="fields">Fields.</param>
    /// <exception cref="OAuthErrorException">The provider refuses.</exception>
    public static JsonElement Post(RemoteAddress address, string path, string? authorization, params (string Name, string Value)[] fields)
    {
        using var client = new DaemonClient(address);
        string form = string.Join('&', fields.Select(field => $"{field.Name}={Uri.EscapeDataString(field.Value)}"));
        var response = client.PostForm(path, Encoding.ASCII.GetBytes(form), authorization);
        byte[] body = response.ReadAll();
        response.Connection.Dispose();
        if (response.Status == 200 && body.Length == 0)
            return default; // a revocation
        try
        {
            using var document = JsonDocument.Parse(body);
            var answer = document.RootElement.Clone();
            return response.Status == 200
                ? answer
                : throw new OAuthErrorException(
                    answer.TryGetProperty("error", out var error) ? error.GetString() ?? "" : "", answer.TryGetProperty("error_description", out var text) ? text.GetString() ?? "" : $"status {response.Status}");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new InvalidOperationException($"{address}{path} answered with status {response.Status} and no JSON that can be understood", exception);
        }
    }

    /// <inheritdoc cref="Post(RemoteAddress, string, string?, ValueTuple{string, string}[])"/>
    public JsonElement Post(string endpoint, params (string Name, string Value)[] fields) => Post(address, PathOf(endpoint), null, fields);
}
