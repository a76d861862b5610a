using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Candela.Images.Registry;

/// <summary>What a registry says when it refuses: status, and the first error of its JSON body (distribution-spec, error codes).</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">For example <c>MANIFEST_UNKNOWN</c>; empty when the body says nothing.</param>
/// <param name="Message">The registry's words; may be empty.</param>
internal sealed record RegistryError(HttpStatusCode Status, string Code, string Message)
{
    private const int MaximumBytes = 64 * 1024;
    private const int MaximumTextLength = 512;

    /// <summary>Whether another attempt may succeed.</summary>
    public bool IsPassing => IsPassingStatus(Status);

    /// <summary>Docker's form of it, for example <c>denied: requested access to the resource is denied</c>.</summary>
    public string Text
    {
        get
        {
            var code = Code.ToLowerInvariant().Replace('_', ' ');
            return (code.Length, Message.Length) switch
            {
                (0, 0) => string.Create(CultureInfo.InvariantCulture, $"HTTP status {(int)Status} ({Status})"),
                (0, _) => Message,
                (_, 0) => code,
                _ => $"{code}: {Message}",
            };
        }
    }

    /// <summary>Whether a status stands for a failure that may pass.</summary>
    public static bool IsPassingStatus(HttpStatusCode status)
        => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError
            or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    /// <summary>Reads the error that a response carries; a body that is no JSON, too long or broken counts as none.</summary>
    public static async Task<RegistryError> ReadAsync(RegistryTransport transport, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        // RFC 6750, 3.1: the token is good but not for this.
        if (response.StatusCode == HttpStatusCode.Unauthorized && AuthenticationChallenge.Of(response).Any(static one => one["error"] == "insufficient_scope"))
            return new RegistryError(response.StatusCode, "DENIED", "requested access to the resource is denied");
        byte[]? body;
        try
        {
            body = await transport.ReadAsync(response, MaximumBytes, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TimeoutException)
        {
            body = null;
        }

        var (code, message) = Parse(body ?? []);
        return new RegistryError(response.StatusCode, code, message);
    }

    private static (string Code, string Message) Parse(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                return ("", "");
            if (root.TryGetProperty("errors", out var errors) && errors.ValueKind == JsonValueKind.Array && errors.GetArrayLength() > 0)
                return errors[0].ValueKind == JsonValueKind.Object ? (Read(errors[0], "code"), Read(errors[0], "message")) : ("", "");
            return ("", Read(root, "details") is { Length: > 0 } details ? details : Read(root, "error_description"));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return ("", "");
        }
    }

    private static string Read(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.String)
            return "";
        var text = new StringBuilder();
        foreach (var character in (value.GetString() ?? "").Take(MaximumTextLength))
            text.Append(char.IsControl(character) ? ' ' : character);
        return text.ToString();
    }
}
