using System.Text;
using System.Text.Json;
using Candela.Cli.Api;

namespace Candela.Cli.Containers;

/// <summary>Registry credentials that <c>docker login</c> left in ~/.docker/config.json (without credential helpers).</summary>
internal static class DockerLogin
{
    private const string DockerHub = "https://index.docker.io/v1/";

    public static CredentialBody? Find(string reference)
    {
        string folder = Environment.GetEnvironmentVariable("DOCKER_CONFIG")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".docker");
        string file = Path.Combine(folder, "config.json");
        if (!File.Exists(file))
            return null;
        string registry = Registry(reference);
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            if (!document.RootElement.TryGetProperty("auths", out var all) || all.ValueKind != JsonValueKind.Object)
                return null;
            foreach (string key in (string[])[registry, "https://" + registry, "http://" + registry])
            {
                if (all.TryGetProperty(key, out var entry) && entry.TryGetProperty("auth", out var auth) && auth.GetString() is { Length: > 0 } encoded)
                {
                    string[] parts = Encoding.UTF8.GetString(Convert.FromBase64String(encoded)).Split(':', 2);
                    string? token = entry.TryGetProperty("identitytoken", out var identity) ? identity.GetString() : null;
                    return parts.Length == 2 ? new CredentialBody(parts[0], parts[1].TrimEnd('\0'), token) : null;
                }
            }
            return null;
        }
        catch (Exception exception) when (exception is JsonException or FormatException)
        {
            throw new InvalidDataException($"{file} cannot be read: {exception.Message}");
        }
    }

    /// <summary>The first part of a reference names a registry when it has a dot or a port, or is localhost.</summary>
    private static string Registry(string reference)
    {
        int slash = reference.IndexOf('/', StringComparison.Ordinal);
        string first = slash < 0 ? "" : reference[..slash];
        return first.Contains('.', StringComparison.Ordinal) || first.Contains(':', StringComparison.Ordinal) || first == "localhost"
            ? first == "docker.io" ? DockerHub : first
            : DockerHub;
    }
}
