using Candela.Build;
using Candela.Images;
using Candela.Machine;
using Candela.Model;

namespace Candela.Controller.Images.Builds;

/// <summary>Builds images: the builder decides, the image store keeps, and commands run in containers of the caller's, with the caller's rights.</summary>
internal sealed class ImageBuilds(IImageStore images, IContainerService containers, IMachine machine, TimeProvider time) : IDisposable
{
    private const long ContextBytesMaximum = 64L << 30;
    private const int ChunkBytes = 128 << 10;

    private readonly BuildDownloads _downloads = new();

    /// <inheritdoc cref="IImageService.BuildAsync"/>
    public async Task<string> BuildAsync(
        Caller caller, Stream context, BuildRequest request, Func<string, RegistryCredential?> credentials, IBuildOutput output, CancellationToken cancellationToken)
    {
        var path = images.NewTemporaryPath();
        try
        {
            await SpoolAsync(context, path, cancellationToken);
            var host = new BuildHost(caller, images, containers, machine, _downloads, credentials, output);
            using var builder = await Task.Run(() => Builder.Open(host, output, time, request with { ContextPath = path }, cancellationToken), cancellationToken);
            return await builder.RunAsync(cancellationToken);
        }
        finally
        {
            File.Delete(path);
        }
    }

    public void Dispose() => _downloads.Dispose();

    private static async Task SpoolAsync(Stream context, string path, CancellationToken cancellationToken)
    {
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0);
        var chunk = new byte[ChunkBytes];
        for (int read; (read = await context.ReadAsync(chunk, cancellationToken)) > 0;)
        {
            if (file.Position + read > ContextBytesMaximum)
                throw new CandelaException(ErrorCode.InvalidArgument, $"the build context has more than {ContextBytesMaximum} bytes: leave out what is not needed by a .dockerignore");
            await file.WriteAsync(chunk.AsMemory(0, read), cancellationToken);
        }
    }
}
