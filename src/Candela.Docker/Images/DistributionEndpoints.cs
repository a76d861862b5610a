using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Model;
using Microsoft.AspNetCore.Http;

namespace Candela.Docker.Images;

/// <summary><c>GET /distribution/{name}/json</c>: what a registry has under a name.</summary>
internal static class DistributionEndpoints
{
    private const string Suffix = "/json";

    public static async Task InspectAsync(DockerRequest request)
    {
        if (request.Reference.Length <= Suffix.Length || !request.Reference.EndsWith(Suffix, StringComparison.Ordinal))
            throw DockerException.NotFound("page not found");
        var credential = RegistryAuthHeader.Read(request.Http.Request);
        try
        {
            var found = await request.Images.InspectRemoteAsync(request.Caller, request.Reference[..^Suffix.Length], credential, request.Aborted);
            await request.WriteJsonAsync(
                new DistributionInspect(
                    new DistributionDescriptor(found.MediaType, found.Digest, found.Bytes),
                    [.. found.Platforms.Select(static platform => new DistributionPlatform(platform.Architecture, platform.OperatingSystem, platform.Variant.Length == 0 ? null : platform.Variant))]),
                DockerJson.Default.DistributionInspect);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.Unauthenticated or ErrorCode.PermissionDenied)
        {
            throw new DockerException(StatusCodes.Status401Unauthorized, e.Message);
        }
        catch (CandelaException e)
        {
            throw ErrorTranslation.Translate(e, Subject.None, null);
        }
    }
}
