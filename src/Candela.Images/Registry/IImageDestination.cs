using Candela.Images.Naming;
using Candela.Model;

namespace Candela.Images.Registry;

/// <summary>A place that images are pushed to.</summary>
internal interface IImageDestination
{
    /// <summary>Makes ready to push; no connection yet.</summary>
    /// <param name="reference">Where to.</param>
    /// <param name="credential">Credential, or null.</param>
    /// <param name="mountable">Paths of other repositories of the same registry that blobs may be mounted from.</param>
    DestinationRepository Open(ImageReference reference, RegistryCredential? credential, IReadOnlyList<string> mountable);
}

/// <summary>A repository that an image is pushed to; several blobs may go at a time.</summary>
internal abstract class DestinationRepository : IDisposable
{
    /// <summary>Whether the repository has a blob.</summary>
    /// <exception cref="CandelaException">Unauthenticated, PermissionDenied or Unavailable; so of the others.</exception>
    public abstract Task<bool> HasAsync(string digest, CancellationToken cancellationToken);

    /// <summary>Takes a blob over from another repository of the registry.</summary>
    /// <returns>False when it has to be uploaded.</returns>
    public abstract Task<bool> MountAsync(string digest, string from, CancellationToken cancellationToken);

    /// <summary>Uploads a blob in chunks; what the registry has got of a broken upload is not sent again.</summary>
    /// <param name="blob">Which one.</param>
    /// <param name="path">File that holds it.</param>
    /// <param name="progress">Told the bytes sent in all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public abstract Task UploadAsync(Descriptor blob, string path, IProgress<long>? progress, CancellationToken cancellationToken);

    /// <summary>Uploads a manifest under a tag.</summary>
    public abstract Task PutManifestAsync(string tag, byte[] manifest, string mediaType, CancellationToken cancellationToken);

    /// <summary>Gives connections back.</summary>
    public abstract void Dispose();
}
