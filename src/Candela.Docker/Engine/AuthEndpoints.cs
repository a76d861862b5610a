using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Candela.Controller.Api.Access;
using Candela.Docker.Http;
using Candela.Docker.Images;
using Candela.Docker.Json;
using Candela.Identity.Authorization;
using Microsoft.AspNetCore.Http;

namespace Candela.Docker.Engine;

/// <summary><c>docker login</c>: asks the registry whether it takes the credentials. Nothing is kept here.</summary>
internal static class AuthEndpoints
{
    private const string DockerHub = "registry-1.docker.io";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    // Credentials must not follow a redirect to another host.
    private static readonly HttpClient Client = new(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(1) })
    {
        Timeout = Deadline,
        MaxResponseContentBufferSize = 1024 * 1024,
    };

    public static void Map(DockerRoutes routes) => routes.Post("/auth", RouteAccess.Project(ResourceKind.Image, Verb.Create), CheckAsync);

    private static async Task CheckAsync(DockerRequest request)
    {
        var body = await request.ReadJsonAsync(DockerJson.Default.RegistryAuth);
        var credential = RegistryAuthHeader.ToCredential(body);
        var server = Server(body.ServerAddress);
        if (credential is null)
            throw new DockerException(StatusCodes.Status401Unauthorized, "no basic auth credentials");
        if (credential.IdentityToken is not null)
            throw DockerException.NotSupported("logging in with an identity token is");
        try
        {
            await CheckAsync(server, credential.Username, credential.Password, request.Aborted);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !request.Aborted.IsCancellationRequested)
        {
            throw new DockerException(StatusCodes.Status500InternalServerError, $"Get \"{server}v2/\": {e.Message}");
        }

        await request.WriteJsonAsync(new AuthResponse("Login Succeeded", ""), DockerJson.Default.AuthResponse);
    }

    private static async Task CheckAsync(Uri server, string username, string password, CancellationToken cancellationToken)
    {
        var ping = new Uri(server, "/v2/");
        var basic = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{username}:{password}")));
        using var first = await Client.GetAsync(ping, cancellationToken);
        if (first.IsSuccessStatusCode)
            return; // a registry without authentication
        var challenge = first.StatusCode == HttpStatusCode.Unauthorized
            ? first.Headers.WwwAuthenticate.FirstOrDefault(static header => header.Scheme is "Bearer" or "Basic")
            : null;
        var target = challenge switch
        {
            { Scheme: "Basic" } => ping,
            { Scheme: "Bearer" } => TokenUri(challenge.Parameter ?? "", username),
            _ => throw new DockerException(StatusCodes.Status500InternalServerError, $"{server.Host} is not a registry: {(int)first.StatusCode} for {ping}"),
        };
        if (target.Scheme != Uri.UriSchemeHttps && !target.IsLoopback)
            throw DockerException.BadRequest($"{server.Host} asks for the password over plain HTTP: refused");
        using var login = new HttpRequestMessage(HttpMethod.Get, target) { Headers = { Authorization = basic } };
        using var answer = await Client.SendAsync(login, cancellationToken);
        if (!answer.IsSuccessStatusCode)
        {
            throw new DockerException(
                answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden ? StatusCodes.Status401Unauthorized : StatusCodes.Status500InternalServerError,
                $"login attempt to {ping} failed with status: {(int)answer.StatusCode} {answer.ReasonPhrase}");
        }
    }

    /// <summary>Where the token is to be had: "realm" and "service" of the challenge (distribution-spec, token authentication).</summary>
    private static Uri TokenUri(string challenge, string username)
    {
        var realm = Parameter(challenge, "realm");
        if (realm is null || !Uri.TryCreate(realm, UriKind.Absolute, out var uri))
            throw new DockerException(StatusCodes.Status500InternalServerError, "the registry's challenge names no realm");
        var query = $"account={Uri.EscapeDataString(username)}";
        if (Parameter(challenge, "service") is { } service)
            query += $"&service={Uri.EscapeDataString(service)}";
        return new UriBuilder(uri) { Query = uri.Query.Length > 1 ? $"{uri.Query[1..]}&{query}" : query }.Uri;
    }

    private static string? Parameter(string challenge, string name)
    {
        foreach (var part in challenge.Split(','))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && part[..equals].Trim().Equals(name, StringComparison.OrdinalIgnoreCase))
                return part[(equals + 1)..].Trim().Trim('"');
        }

        return null;
    }

    private static Uri Server(string? address)
    {
        var host = (address ?? "").Trim();
        if (host.Length == 0 || host.Contains("index.docker.io", StringComparison.OrdinalIgnoreCase) || host is "docker.io" or "registry-1.docker.io")
            return new Uri($"https://{DockerHub}/");
        if (!host.Contains("://", StringComparison.Ordinal))
        {
            var name = host.Split('/')[0];
            var local = name.StartsWith("localhost", StringComparison.OrdinalIgnoreCase) || name.StartsWith("127.", StringComparison.Ordinal);
            host = (local ? "http://" : "https://") + name;
        }

        return Uri.TryCreate(host, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? uri
            : throw DockerException.BadRequest($"invalid registry address: {address}");
    }
}
