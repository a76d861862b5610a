using System.Text.Json;
using Candela.Docker.Containers;
using Candela.Docker.Json;
using Candela.Images;

namespace Candela.Docker.Images;

/// <summary>Shows an image in Docker's shapes.</summary>
internal static class ImageView
{
    private static readonly JsonElement EmptyObject = JsonDocument.Parse("{}").RootElement.Clone();

    public static ImageSummary Summary(Image image, int containers) => new()
    {
        Id = image.Id,
        RepoTags = image.Tags,
        RepoDigests = image.Digests,
        Created = image.CreatedAt.ToUnixTimeSeconds(),
        Size = image.SizeBytes,
        Labels = image.Configuration.Labels.Count == 0 ? null : image.Configuration.Labels,
        Containers = containers,
    };

    public static ImageInspect Inspect(Image image)
    {
        var configuration = image.Configuration;
        return new ImageInspect
        {
            Id = image.Id,
            RepoTags = image.Tags,
            RepoDigests = image.Digests,
            Parent = image.ParentId,
            Comment = image.Comment,
            Created = DockerTime.Format(image.CreatedAt),
            Author = image.Author,
            Config = new ConfigView
            {
                User = configuration.User,
                ExposedPorts = Set(configuration.ExposedPorts),
                Env = configuration.Environment,
                Cmd = configuration.Command,
                Volumes = Set(configuration.Volumes),
                WorkingDir = configuration.WorkingDirectory,
                Entrypoint = configuration.Entrypoint,
                Labels = configuration.Labels.Count == 0 ? null : configuration.Labels,
                StopSignal = configuration.StopSignal.Length == 0 ? null : configuration.StopSignal,
                Shell = configuration.Shell,
                OnBuild = configuration.OnBuild.Count == 0 ? null : configuration.OnBuild,
                Healthcheck = HealthTranslation.View(configuration.HealthCheck),
            },
            Architecture = image.Architecture,
            Os = image.OperatingSystem,
            Size = image.SizeBytes,
            RootFS = new RootFsView("layers", image.DiffIds),
            Metadata = new ImageMetadata(DockerTime.Format(image.LastTaggedAt == default ? null : (DateTimeOffset?)image.LastTaggedAt)),
        };
    }

    private static Dictionary<string, JsonElement>? Set(IReadOnlyList<string> names) =>
        names.Count == 0 ? null : names.Distinct(StringComparer.Ordinal).ToDictionary(static name => name, static _ => EmptyObject, StringComparer.Ordinal);
}
