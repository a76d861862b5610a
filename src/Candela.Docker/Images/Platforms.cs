using System.Text.Json;
using Candela.Docker.Http;

namespace Candela.Docker.Images;

/// <summary>The platform that a request names: a text, or the JSON that clients of API 1.48 and later send.</summary>
internal static class Platforms
{
    /// <summary>Lets linux/amd64 through, in whatever form; images for another platform are not kept here.</summary>
    /// <exception cref="DockerException">Not found: another platform.</exception>
    public static void RequireOurs(DockerRequest request)
    {
        foreach (var text in request.Query["platform"].Concat(request.Query["platforms"]))
        {
            if (!string.IsNullOrEmpty(text) && !IsOurs(text))
                throw DockerException.NotFound($"no image for platform {text}: only linux/amd64 is kept and run here");
        }
    }

    private static bool IsOurs(string text)
    {
        if (text is "linux" or "linux/amd64" or "linux/x86_64" or "amd64")
            return true;
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 4 });
            return document.RootElement is { ValueKind: JsonValueKind.Object } platform && Has(platform, "os", "linux") && Has(platform, "architecture", "amd64");
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool Has(JsonElement platform, string name, string value) =>
        !platform.TryGetProperty(name, out var found) || (found.ValueKind == JsonValueKind.String && found.GetString() is { } text && (text == value || text.Length == 0));
}
