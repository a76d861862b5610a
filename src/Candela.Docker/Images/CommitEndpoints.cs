using Candela.Docker.Containers;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Images;
using Candela.Model;
using Microsoft.AspNetCore.Http;

namespace Candela.Docker.Images;

/// <summary>Answer of commit.</summary>
internal sealed record CommitResponse(string Id);

/// <summary><c>docker commit</c>.</summary>
internal static class CommitEndpoints
{
    public static async Task CommitAsync(DockerRequest request)
    {
        var query = request.Query;
        var container = query.Text("container") ?? throw DockerException.BadRequest("Bad parameters: container is required");
        var body = await request.ReadJsonAsync(DockerJson.Default.CreateRequest, mayBeAbsent: true);
        var repository = query.Text("repo");
        var reference = repository is null ? null : $"{ImageNames.Familiar(repository)}:{query.Text("tag") ?? "latest"}";
        try
        {
            var image = await request.Images.CommitAsync(
                request.Caller, container, reference, query.Text("author") ?? "", query.Text("comment") ?? "",
                configuration => ImportChanges.Read(query["changes"], Overlay(configuration, body)), request.Aborted);
            await request.WriteJsonAsync(new CommitResponse(image.Id), DockerJson.Default.CommitResponse, StatusCodes.Status201Created);
        }
        catch (CandelaException e)
        {
            throw ErrorTranslation.Translate(e, Subject.Container, container);
        }
    }

    /// <summary>What the body says goes before what the container has.</summary>
    private static ImageConfiguration Overlay(ImageConfiguration configuration, CreateRequest body) => configuration with
    {
        User = string.IsNullOrEmpty(body.User) ? configuration.User : body.User,
        Environment = body.Env is { Count: > 0 } env ? [.. env.OfType<string>(), .. configuration.Environment.Where(known => !env.Any(given => Name(given) == Name(known)))] : configuration.Environment,
        Entrypoint = body.Entrypoint is { Count: > 0 } entrypoint ? entrypoint : configuration.Entrypoint,
        Command = body.Cmd is { Count: > 0 } command ? command : configuration.Command,
        WorkingDirectory = string.IsNullOrEmpty(body.WorkingDir) ? configuration.WorkingDirectory : body.WorkingDir,
    };

    private static string Name(string? variable) => (variable ?? "").Split('=')[0];
}
