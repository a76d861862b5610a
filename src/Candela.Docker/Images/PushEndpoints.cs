using Candela.Docker.Http;
using Candela.Model;
using Microsoft.AspNetCore.Http;

namespace Candela.Docker.Images;

/// <summary><c>docker push</c>.</summary>
internal static class PushEndpoints
{
    public static async Task PushAsync(DockerRequest request, string name)
    {
        Platforms.RequireOurs(request);
        var credential = RegistryAuthHeader.Read(request.Http.Request);
        IReadOnlyList<string> references = request.Query.Text("tag") is { } tag ? [$"{name}:{tag}"]
            : ImageNames.Split(name).Tag.Length > 0 ? [name]
            : await TagsAsync(request, name);
        var progress = new ProgressStream(request);
        await progress.RunAsync(
            async () =>
            {
                foreach (var reference in references)
                {
                    var pushed = await request.Services.Tasks.RunAsync(request.Caller, "push", reference, progress, reports =>
                        request.Images.PushAsync(request.Caller, reference, credential, reports, request.Aborted));
                    progress.Say(new ProgressMessage { Aux = new ProgressAux { Tag = pushed.Tag, Digest = pushed.Digest, Size = pushed.Bytes } });
                }
            },
            static error => error.Code == ErrorCode.Unauthenticated
                ? new DockerException(StatusCodes.Status500InternalServerError, error.Message) // as dockerd: a 401 would make the client ask for a password
                : ErrorTranslation.Translate(error, Subject.None, null));
    }

    /// <summary>All tags of a repository (<c>docker push --all-tags</c>).</summary>
    private static async Task<IReadOnlyList<string>> TagsAsync(DockerRequest request, string name)
    {
        var repository = ImageNames.Familiar(name);
        var tags = (await request.Images.ListAsync(request.Caller, request.Aborted)).SelectMany(static image => image.Tags).Where(tag => ImageNames.Split(tag).Name == repository).Order(StringComparer.Ordinal).ToList();
        return tags.Count > 0 ? tags : throw DockerException.NotFound($"An image does not exist locally with the tag: {repository}");
    }
}
