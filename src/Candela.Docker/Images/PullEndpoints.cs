using Candela.Docker.Http;
using Candela.Model;

namespace Candela.Docker.Images;

/// <summary><c>POST /images/create</c>: pull, or import of a root file system.</summary>
internal static class PullEndpoints
{
    public static Task CreateAsync(DockerRequest request)
    {
        Platforms.RequireOurs(request);
        if (request.Query.Text("fromImage") is { } image)
            return PullAsync(request, image);
        return request.Query.Text("fromSrc") is { } source
            ? ImportAsync(request, source)
            : throw DockerException.BadRequest("either fromImage or fromSrc must be given");
    }

    private static Task PullAsync(DockerRequest request, string name)
    {
        var tag = request.Query.Text("tag");
        if (tag is null && !name.Contains('@', StringComparison.Ordinal) && ImageNames.Split(name).Tag.Length == 0)
            throw DockerException.NotSupported("pulling all tags (docker pull --all-tags) is");
        var reference = tag switch
        {
            null => name,
            _ when tag.Contains(':', StringComparison.Ordinal) => $"{name}@{tag}",
            _ => $"{name}:{tag}",
        };
        var credential = RegistryAuthHeader.Read(request.Http.Request);
        var progress = new ProgressStream(request);
        return progress.RunAsync(
            () => request.Services.Tasks.RunAsync(request.Caller, "pull", reference, progress, reports =>
                request.Images.PullAsync(request.Caller, reference, credential, reports, request.Aborted)),
            error => error.Code switch
            {
                ErrorCode.ImageNotFound or ErrorCode.NotFound => DockerException.NotFound(error.Message),
                // As dockerd: a 401 would make the client ask for a password, even where nobody can type one.
                ErrorCode.Unauthenticated => new DockerException(500, error.Message),
                _ => ErrorTranslation.Translate(error, Subject.None, null),
            });
    }

    private static Task ImportAsync(DockerRequest request, string source)
    {
        if (source != "-")
            throw DockerException.NotSupported("importing from a URL (docker import URL; only a file or -) is");
        var repository = request.Query.Text("repo");
        var reference = repository is null ? null : ImageNames.Split(repository).Tag.Length > 0 ? repository : $"{repository}:{request.Query.Text("tag") ?? "latest"}";
        var configuration = ImportChanges.Read(request.Query["changes"]);
        var progress = new ProgressStream(request);
        return progress.RunAsync(
            async () =>
            {
                var image = await request.Services.Tasks.RunAsync(request.Caller, "import", reference ?? "", progress: null, _ =>
                    request.Images.ImportAsync(request.Caller, request.ReadUnlimited(), reference, configuration, request.Aborted));
                progress.Say(new ProgressMessage { Status = image.Id });
            },
            static error => ErrorTranslation.Translate(error, Subject.None, null));
    }
}
