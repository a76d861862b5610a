using System.Text;
using System.Text.Json;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Docker.Engine;
using Candela.Images;
using Microsoft.AspNetCore.Http;

namespace Candela.Docker.Images;

/// <summary>The <c>X-Registry-Auth</c> header: JSON in URL-safe base64.</summary>
internal static class RegistryAuthHeader
{
    private const int CharactersMaximum = 64 * 1024;

    /// <summary>The credentials sent, or null when there are none.</summary>
    public static RegistryCredential? Read(HttpRequest request)
    {
        var text = request.Headers["X-Registry-Auth"].ToString();
        if (text.Length == 0)
            return null;
        if (text.Length > CharactersMaximum)
            throw Invalid("too long");
        RegistryAuth? auth;
        try
        {
            var base64 = text.Replace('-', '+').Replace('_', '/').TrimEnd('=');
            base64 = base64.PadRight((base64.Length + 3) / 4 * 4, '=');
            var bytes = Convert.FromBase64String(base64);
            auth = bytes.Length == 0 ? null : JsonSerializer.Deserialize(bytes, DockerJson.Default.RegistryAuth);
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            throw Invalid(e.Message);
        }

        return auth is null ? null : ToCredential(auth);
    }

    public static RegistryCredential? ToCredential(RegistryAuth auth)
    {
        if (!string.IsNullOrEmpty(auth.RegistryToken))
            throw DockerException.NotSupported("a registry token (registrytoken) is");
        var (username, password) = (auth.Username ?? "", auth.Password ?? "");
        if (username.Length == 0 && !string.IsNullOrEmpty(auth.Auth))
        {
            var pair = Decode(auth.Auth);
            var colon = pair.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
                throw Invalid("no user name");
            (username, password) = (pair[..colon], pair[(colon + 1)..]);
        }

        var token = string.IsNullOrEmpty(auth.IdentityToken) ? null : auth.IdentityToken;
        return username.Length == 0 && token is null ? null : new RegistryCredential(username, password, token);
    }

    private static string Decode(string base64)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(base64));
        }
        catch (FormatException e)
        {
            throw Invalid(e.Message);
        }
    }

    private static DockerException Invalid(string why) => DockerException.BadRequest($"invalid X-Registry-Auth header: {why}");
}
