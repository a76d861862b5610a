using Candela.Controller.Api.Access;
using Candela.Docker.Http;
using Candela.Docker.Images;
using Candela.Docker.Json;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.AspNetCore.Http;

namespace Candela.Docker.Engine;

/// <summary><c>docker login</c>: asks the registry whether it takes the credentials. Nothing is kept here.</summary>
internal static class AuthEndpoints
{
    private const string DockerHub = "docker.io";

    public static void Map(DockerRoutes routes) => routes.Post("/auth", RouteAccess.Project(ResourceKind.Image, Verb.Get), CheckAsync);

    private static async Task CheckAsync(DockerRequest request)
    {
        var body = await request.ReadJsonAsync(DockerJson.Default.RegistryAuth);
        var credential = RegistryAuthHeader.ToCredential(body)
            ?? throw new DockerException(StatusCodes.Status401Unauthorized, "no basic auth credentials");
        try
        {
            await request.Images.LoginAsync(request.Caller, Registry(body.ServerAddress), credential, request.Aborted);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.Unavailable)
        {
            throw new DockerException(StatusCodes.Status500InternalServerError, e.Message);
        }

        await request.WriteJsonAsync(new AuthResponse("Login Succeeded", ""), DockerJson.Default.AuthResponse);
    }

    /// <summary>Host and port; clients send addresses of Docker Hub of times past, and those of others with or without scheme.</summary>
    private static string Registry(string? address)
    {
        var host = (address ?? "").Trim();
        var scheme = host.IndexOf("://", StringComparison.Ordinal);
        if (scheme >= 0)
            host = host[(scheme + 3)..];
        host = host.Split('/')[0];
        return host.Length == 0 || host is "index.docker.io" or "registry-1.docker.io" ? DockerHub : host;
    }
}
