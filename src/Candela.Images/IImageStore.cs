using Candela.Model;

namespace Candela.Images;

/// <summary>
/// Images of one machine: content-addressed blobs, tags, and the read-only block image (squashfs) that each image's layers become.
/// Safe for use from many threads; concurrent pulls of the same content are shared.
/// </summary>
public interface IImageStore
{
    /// <summary>All images.</summary>
    Task<IReadOnlyList<Image>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Finds by name (<c>name[:tag][@digest]</c>, Docker's normalisation), id or unambiguous id prefix.</summary>
    /// <exception cref="CandelaException">ImageNotFound.</exception>
    Task<Image> GetAsync(string reference, CancellationToken cancellationToken);

    /// <summary>Pulls from a registry (Docker Registry v2 / OCI distribution).</summary>
    Task<Image> PullAsync(string reference, RegistryCredential? credential, IProgress<ImageProgress>? progress, CancellationToken cancellationToken);

    /// <summary>Pushes an image to the registry that its name says, under that tag. Uncompressed layers go gzip'd.</summary>
    /// <param name="reference">A name of the image; without a tag, <c>latest</c>.</param>
    /// <param name="credential">Credential, or null.</param>
    /// <param name="progress">Told what is done, in Docker's words.</param>
    /// <param name="cancellationToken">Gives up; an upload under way is cancelled.</param>
    /// <exception cref="CandelaException">ImageNotFound, InvalidArgument; Unauthenticated, PermissionDenied and Unavailable as the registry says.</exception>
    Task<PushedImage> PushAsync(string reference, RegistryCredential? credential, IProgress<ImageProgress>? progress, CancellationToken cancellationToken);

    /// <summary>Asks a registry whether it takes a credential. Nothing is kept.</summary>
    /// <param name="registry"><c>host[:port]</c>; <c>docker.io</c> is Docker Hub.</param>
    /// <param name="credential">The credential.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CandelaException">Unauthenticated: it does not. InvalidArgument, Unavailable.</exception>
    Task LoginAsync(string registry, RegistryCredential credential, CancellationToken cancellationToken);

    /// <summary>What a registry has under a name; nothing is pulled.</summary>
    /// <exception cref="CandelaException">ImageNotFound, Unauthenticated, PermissionDenied, ImageInvalid or Unavailable.</exception>
    Task<RemoteImage> InspectRemoteAsync(string reference, RegistryCredential? credential, CancellationToken cancellationToken);

    /// <summary>Loads a <c>docker save</c> or OCI-layout archive (plain or gzip); several images possible.</summary>
    Task<IReadOnlyList<Image>> LoadAsync(Stream archive, IProgress<ImageProgress>? progress, CancellationToken cancellationToken);

    /// <summary>Writes images as one archive: docker-archive and OCI layout at once, layers uncompressed.</summary>
    /// <param name="references">Names (a repository without a tag: all its tags) or ids, at least one.</param>
    /// <param name="begin">Gives the stream to write to, once it is sure that all images are here.</param>
    /// <param name="cancellationToken">Gives up in the middle.</param>
    /// <exception cref="CandelaException">ImageNotFound, InvalidArgument.</exception>
    Task SaveAsync(IReadOnlyList<string> references, Func<Task<Stream>> begin, CancellationToken cancellationToken);

    /// <summary>Makes an image of one layer from a root file system tar (plain, gzip or zstd). <paramref name="reference"/> may be null (untagged).</summary>
    Task<Image> ImportAsync(Stream rootfsTar, string? reference, ImageConfiguration configuration, CancellationToken cancellationToken);

    /// <summary>The image that a step of a build made, or null.</summary>
    Task<Image?> FindBuiltAsync(string buildKey, CancellationToken cancellationToken);

    /// <summary>Makes the result of a build an image like all others, under these names.</summary>
    Task KeepBuiltAsync(string imageId, IReadOnlyList<string> references, CancellationToken cancellationToken);

    /// <summary>Removes what is kept for further builds only.</summary>
    /// <returns>Bytes freed.</returns>
    Task<long> PruneBuiltAsync(Func<string, bool> isUsed, CancellationToken cancellationToken);

    /// <summary>The files of an image, to be read on the host; they stay until the tree is disposed.</summary>
    /// <param name="imageId">Id; null: an empty tree.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<Files.FileTree> OpenFilesAsync(string? imageId, CancellationToken cancellationToken);

    /// <summary>A path for a file in the making; what is left there goes when the store is opened anew.</summary>
    string NewTemporaryPath();

    /// <summary>Makes an image of another one and a layer over it.</summary>
    /// <param name="baseId">Id of the image below; null: none.</param>
    /// <param name="layerTar">The layer: plain tar with whiteouts (OCI image-spec, layer.md); null: none.</param>
    /// <param name="commit">What the new image is.</param>
    /// <param name="cancellationToken">Gives up; nothing is left.</param>
    Task<Image> CommitAsync(string? baseId, Stream? layerTar, ImageCommit commit, CancellationToken cancellationToken);

    /// <summary>Adds a name.</summary>
    Task TagAsync(string source, string target, CancellationToken cancellationToken);

    /// <summary>
    /// Removes a name, or with the last one (or by id) the image. Refused with Conflict when a container uses it
    /// (<paramref name="isUsed"/>) unless only a name goes, or <paramref name="force"/>.
    /// </summary>
    Task<IReadOnlyList<ImageRemoval>> RemoveAsync(string reference, bool force, Func<string, bool> isUsed, CancellationToken cancellationToken);

    /// <summary>The block image of an image's file system, made if need be. It is not collected while the lease is held.</summary>
    Task<BlockImageLease> OpenBlockImageAsync(string imageId, CancellationToken cancellationToken);

    /// <summary>Deletes blobs and block images that no image and no lease refers to, and half-made remains of earlier runs.</summary>
    /// <returns>Bytes freed.</returns>
    Task<long> CollectGarbageAsync(CancellationToken cancellationToken);

    /// <summary>Raised after pull, push, load, save, import, tag, untag and delete.</summary>
    event Action<ImageEvent>? Changed;
}

/// <summary>An image that is here.</summary>
public sealed record Image
{
    /// <summary><c>sha256:…</c> of the configuration.</summary>
    public required string Id { get; init; }

    /// <summary>Names as users read them: <c>repository:tag</c>, Docker Hub's prefixes left out.</summary>
    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary><c>repository@sha256:…</c> of the manifests that it was pulled by.</summary>
    public required IReadOnlyList<string> Digests { get; init; }

    /// <summary>Sum of the uncompressed layer sizes, bytes.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Created, as its configuration says.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its tag was last set.</summary>
    public DateTimeOffset LastTaggedAt { get; init; }

    /// <summary>Id of the image that it was built on here, or empty.</summary>
    public string ParentId { get; init; } = "";

    /// <summary>Architecture, for example <c>amd64</c>.</summary>
    public string Architecture { get; init; } = "amd64";

    /// <summary>Operating system.</summary>
    public string OperatingSystem { get; init; } = "linux";

    /// <summary>Author.</summary>
    public string Author { get; init; } = "";

    /// <summary>Comment.</summary>
    public string Comment { get; init; } = "";

    /// <summary>diff ids of the layers, lowest first.</summary>
    public required IReadOnlyList<string> DiffIds { get; init; }

    /// <summary>What to run.</summary>
    public required ImageConfiguration Configuration { get; init; }

    /// <summary>How it came to be, oldest step first; empty: it does not say.</summary>
    public IReadOnlyList<ImageHistory> History { get; init; } = [];
}

/// <summary>A step of an image's history.</summary>
/// <param name="CreatedAt">When; null: not said.</param>
/// <param name="CreatedBy">Command that made it, or empty.</param>
/// <param name="Comment">Comment, or empty.</param>
/// <param name="LayerBytes">Uncompressed size of the layer that it added; 0: it added none.</param>
public sealed record ImageHistory(DateTimeOffset? CreatedAt, string CreatedBy, string Comment, long LayerBytes);

/// <summary>An image made of a container.</summary>
public sealed record ImageCommit
{
    /// <summary>Name; null: none.</summary>
    public string? Reference { get; init; }

    /// <summary>What it is to run.</summary>
    public required ImageConfiguration Configuration { get; init; }

    /// <summary>Author; empty: that of the image below.</summary>
    public string Author { get; init; } = "";

    /// <summary>Comment.</summary>
    public string Comment { get; init; } = "";

    /// <summary>Command line that made the layer.</summary>
    public string CreatedBy { get; init; } = "";

    /// <summary>What it is the result of, for <see cref="IImageStore.FindBuiltAsync"/>; null: not a step of a build. The block image of one is made when it is needed.</summary>
    public string? BuildKey { get; init; }

    /// <summary>It is kept for further builds only, and not listed as long as it has no name.</summary>
    public bool IsIntermediate { get; init; }
}

/// <summary>The run-time part of an image's configuration (OCI image-spec, config.md).</summary>
public sealed record ImageConfiguration
{
    /// <summary>User.</summary>
    public string User { get; init; } = "";

    /// <summary>Environment.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Entrypoint; null: none.</summary>
    public IReadOnlyList<string>? Entrypoint { get; init; }

    /// <summary>Default arguments; null: none.</summary>
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>Working directory.</summary>
    public string WorkingDirectory { get; init; } = "";

    /// <summary>Labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Exposed ports, <c>80/tcp</c>.</summary>
    public IReadOnlyList<string> ExposedPorts { get; init; } = [];

    /// <summary>Declared volumes.</summary>
    public IReadOnlyList<string> Volumes { get; init; } = [];

    /// <summary>Stop signal; empty: SIGTERM.</summary>
    public string StopSignal { get; init; } = "";

    /// <summary>Health check; null: none.</summary>
    public HealthCheck? HealthCheck { get; init; }

    /// <summary>Shell of the builder's shell forms.</summary>
    public IReadOnlyList<string>? Shell { get; init; }

    /// <summary>Instructions for the builds of images that are made from it.</summary>
    public IReadOnlyList<string> OnBuild { get; init; } = [];
}

/// <summary>Credentials for a registry.</summary>
/// <param name="Username">User name; empty with a token.</param>
/// <param name="Password">Password.</param>
/// <param name="IdentityToken">OAuth2 refresh token that replaces the password, or null.</param>
public sealed record RegistryCredential(string Username, string Password, string? IdentityToken);

/// <summary>Progress of a pull or load, shaped for Docker's JSON messages.</summary>
/// <param name="Id">Short layer id, or null for messages about the whole.</param>
/// <param name="Status">For example <c>Downloading</c>, <c>Pull complete</c>.</param>
/// <param name="Current">Bytes done, or 0.</param>
/// <param name="Total">Bytes in all, or 0.</param>
public sealed record ImageProgress(string? Id, string Status, long Current = 0, long Total = 0);

/// <summary>An image as a registry has it.</summary>
/// <param name="Tag">Its tag there.</param>
/// <param name="Digest">Digest of its manifest.</param>
/// <param name="Bytes">Length of its manifest.</param>
public sealed record PushedImage(string Tag, string Digest, long Bytes);

/// <summary>What a registry has under a name.</summary>
/// <param name="MediaType">Media type of the manifest, or of the index of several.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Platforms">What it runs on.</param>
public sealed record RemoteImage(string MediaType, string Digest, long Bytes, IReadOnlyList<RemotePlatform> Platforms);

/// <summary>A platform of an image in a registry.</summary>
/// <param name="OperatingSystem">For example <c>linux</c>.</param>
/// <param name="Architecture">For example <c>amd64</c>.</param>
/// <param name="Variant">For example <c>v8</c>, mostly empty.</param>
public sealed record RemotePlatform(string OperatingSystem, string Architecture, string Variant);

/// <summary>One thing that a removal did.</summary>
/// <param name="Untagged">The name taken away, or null.</param>
/// <param name="Deleted">The id deleted, or null.</param>
public sealed record ImageRemoval(string? Untagged, string? Deleted);

/// <summary>A change to the store.</summary>
/// <param name="Action">Docker's action: pull, push, load, save, import, tag, untag, delete.</param>
/// <param name="ImageId">Image id.</param>
/// <param name="Name">Reference, or empty.</param>
public sealed record ImageEvent(string Action, string ImageId, string Name);

/// <summary>A block image in use.</summary>
public sealed class BlockImageLease(string path, string fileSystem, Action release) : IDisposable
{
    private Action? _release = release;

    /// <summary>Path of the read-only image file.</summary>
    public string Path { get; } = path;

    /// <summary>Its file system, for the guest's mount.</summary>
    public string FileSystem { get; } = fileSystem;

    /// <summary>Gives the lease back.</summary>
    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
