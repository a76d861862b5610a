using Candela.Build;
using Candela.Images;
using Candela.Images.Files;
using Candela.Machine;
using Candela.Model;

namespace Candela.Controller.Images.Builds;

/// <summary>The platform as one build sees it.</summary>
internal sealed class BuildHost(
    Caller caller, IImageStore images, IContainerService containers, IMachine machine, BuildDownloads downloads, Func<string, RegistryCredential?> credentials, IBuildOutput output) : IBuildHost
{
    private const string DockerHub = "docker.io";

    public async Task<Image> GetImageAsync(string reference, bool pullsAlways, CancellationToken cancellationToken)
    {
        if (!pullsAlways)
        {
            try
            {
                return await images.GetAsync(reference, cancellationToken);
            }
            catch (CandelaException e) when (e.Code == ErrorCode.ImageNotFound)
            {
                // It is pulled.
            }
        }

        await output.WriteAsync($"Pulling {reference}\n", cancellationToken);
        return await images.PullAsync(reference, credentials(Registry(reference)), progress: null, cancellationToken);
    }

    public Task<FileTree> OpenFilesAsync(string? imageId, CancellationToken cancellationToken) => images.OpenFilesAsync(imageId, cancellationToken);

    public Task<Image?> FindBuiltAsync(string buildKey, CancellationToken cancellationToken) => images.FindBuiltAsync(buildKey, cancellationToken);

    public Task<Image> CommitAsync(string? baseId, Stream? layerTar, ImageCommit commit, CancellationToken cancellationToken) => images.CommitAsync(baseId, layerTar, commit, cancellationToken);

    public Task KeepBuiltAsync(string imageId, IReadOnlyList<string> references, CancellationToken cancellationToken) => images.KeepBuiltAsync(imageId, references, cancellationToken);

    public string NewTemporaryPath() => images.NewTemporaryPath();

    public async Task<IBuildContainer> CreateContainerAsync(ContainerSpec spec, CancellationToken cancellationToken)
    {
        var container = await containers.CreateAsync(caller, null, spec, CancellationToken.None);
        return new BuildContainer(caller, container, containers, machine);
    }

    public Task<FetchedFile> FetchAsync(Uri address, CancellationToken cancellationToken) => downloads.FetchAsync(address, cancellationToken);

    /// <summary>The registry that a reference names, as Docker reads it.</summary>
    private static string Registry(string reference)
    {
        var slash = reference.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : reference[..slash];
        return first.AsSpan().IndexOfAny('.', ':') >= 0 || first == "localhost" ? first : DockerHub;
    }
}
