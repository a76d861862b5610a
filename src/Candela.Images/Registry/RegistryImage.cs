namespace Candela.Images.Registry;

/// <summary>An image in a registry.</summary>
internal sealed class RegistryImage(
    RegistrySession session, RegistryOptions options, TimeProvider time, string manifestDigest, byte[] manifest, ImageDocument document) : SourceImage
{
    /// <inheritdoc/>
    public override string ManifestDigest => manifestDigest;

    /// <inheritdoc/>
    public override byte[] Manifest => manifest;

    /// <inheritdoc/>
    public override Descriptor Configuration => document.Configuration;

    /// <inheritdoc/>
    public override IReadOnlyList<Descriptor> Layers => document.Layers;

    /// <inheritdoc/>
    public override async Task FetchAsync(Descriptor blob, string destinationPath, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        using var download = new BlobDownload(session, options, time, blob, progress);
        await download.RunAsync(destinationPath, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        session.Dispose();
        return ValueTask.CompletedTask;
    }
}
