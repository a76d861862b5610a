using Candela.Images.Naming;
using Candela.Model;

namespace Candela.Images.Registry;

/// <summary>A place that images are pulled from.</summary>
internal interface IImageSource
{
    /// <summary>Finds the image for linux/amd64.</summary>
    /// <exception cref="CandelaException">ImageNotFound, PermissionDenied, ImageInvalid or Unavailable.</exception>
    Task<SourceImage> ResolveAsync(ImageReference reference, RegistryCredential? credential, CancellationToken cancellationToken);
}

/// <summary>An image found in a registry; its blobs are fetched one by one, several at a time.</summary>
internal abstract class SourceImage : IAsyncDisposable
{
    /// <summary><c>sha256:…</c> of what the reference names: the index, where there is one, else the manifest.</summary>
    public abstract string ManifestDigest { get; }

    /// <summary>The verified manifest; of an index, the one for linux/amd64.</summary>
    public abstract byte[] Manifest { get; }

    /// <summary>The configuration.</summary>
    public abstract Descriptor Configuration { get; }

    /// <summary>Layers, lowest first.</summary>
    public abstract IReadOnlyList<Descriptor> Layers { get; }

    /// <summary>
    /// Fetches a blob. A partial file at the destination is continued. The digest is verified; a file that fails is deleted.
    /// On another failure the partial file stays, for the next attempt.
    /// </summary>
    /// <param name="blob">Which one.</param>
    /// <param name="destinationPath">File to write.</param>
    /// <param name="progress">Told the bytes there in all, at most a few times a second.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CandelaException">ImageInvalid, Unavailable, PermissionDenied, or ResourceExhausted when the disk is full.</exception>
    public abstract Task FetchAsync(Descriptor blob, string destinationPath, IProgress<long>? progress, CancellationToken cancellationToken);

    /// <summary>Gives connections back.</summary>
    public abstract ValueTask DisposeAsync();
}

/// <summary>A blob that a manifest names (OCI image-spec, descriptor.md).</summary>
/// <param name="Digest"><c>sha256:…</c>.</param>
/// <param name="Size">Bytes.</param>
/// <param name="MediaType">Media type.</param>
internal sealed record Descriptor(string Digest, long Size, string MediaType);
