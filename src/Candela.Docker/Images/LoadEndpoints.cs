using Candela.Docker.Http;

namespace Candela.Docker.Images;

/// <summary><c>docker load</c>.</summary>
internal static class LoadEndpoints
{
    public static Task LoadAsync(DockerRequest request)
    {
        Platforms.RequireOurs(request);
        var quiet = request.Query.Flag("quiet");
        var progress = new ProgressStream(request);
        return progress.RunAsync(
            async () =>
            {
                var images = await request.Services.Tasks.RunAsync(request.Caller, "load", "", quiet ? null : progress, reports =>
                    request.Images.LoadAsync(request.Caller, request.ReadUnlimited(), reports, request.Aborted));
                foreach (var image in images)
                {
                    foreach (var tag in image.Tags)
                        progress.Say(new ProgressMessage { Stream = $"Loaded image: {tag}\n" });
                    if (image.Tags.Count == 0)
                        progress.Say(new ProgressMessage { Stream = $"Loaded image ID: {image.Id}\n" });
                }
            },
            static error => ErrorTranslation.Translate(error, Subject.None, null));
    }
}
