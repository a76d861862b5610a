using Candela.Images.BlockImages;
using Candela.Images.Manifests;
using Candela.Images.Naming;
using Candela.Images.Registry;
using Candela.Images.Storage;
using Candela.Model;
using Microsoft.Extensions.Logging;

namespace Candela.Images;

/// <summary>The image store of one machine, in a folder of its own.</summary>
public sealed partial class ImageStore : IImageStore, IDisposable
{
    private readonly StoreFolder _folder;
    private readonly ImageLimits _limits;
    private readonly IImageSource _source;
    private readonly RegistryImageDestination _destination;
    private readonly RegistryQueries _queries;
    private readonly ILogger _logger;
    private readonly BlockImageBuilder _builder;
    private readonly SemaphoreSlim _changes = new(1);
    private readonly Uses _uses = new();
    private readonly KeyedLocks _work = new();
    private volatile StoreIndex _index;

    /// <summary>Opens the store, pulling from registries.</summary>
    /// <exception cref="CandelaException">Conflict when another process uses the folder; Internal when its index is damaged; InvalidArgument for wrong options.</exception>
    public ImageStore(ImageStoreOptions options, ILogger logger)
        : this(options, new RegistryImageSource(Registries(options), TimeProvider.System), logger)
    {
    }

    internal ImageStore(ImageStoreOptions options, IImageSource source, ILogger logger)
    {
        _limits = options.Limits;
        _source = source;
        _destination = new RegistryImageDestination(Registries(options), TimeProvider.System);
        _queries = new RegistryQueries(Registries(options), TimeProvider.System);
        _logger = logger;
        _folder = new StoreFolder(options.Folder);
        try
        {
            _builder = new BlockImageBuilder(_folder, _limits);
            _index = ReadIndex();
        }
        catch
        {
            _folder.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public event Action<ImageEvent>? Changed;

    /// <inheritdoc/>
    public Task<IReadOnlyList<Image>> ListAsync(CancellationToken cancellationToken)
    {
        StoreIndex index = _index;
        return Task.FromResult<IReadOnlyList<Image>>([.. index.Images.Where(image => !IsHidden(index, image.Key, image.Value)).Select(image => Describe(index, image.Key))]);
    }

    /// <inheritdoc/>
    public Task<Image> GetAsync(string reference, CancellationToken cancellationToken)
    {
        StoreIndex index = _index;
        return Task.FromResult(Describe(index, ImageLookup.Find(index, reference).ImageId));
    }

    /// <inheritdoc/>
    public Task LoginAsync(string registry, RegistryCredential credential, CancellationToken cancellationToken) =>
        _queries.LoginAsync(registry, credential, cancellationToken);

    /// <inheritdoc/>
    public Task<RemoteImage> InspectRemoteAsync(string reference, RegistryCredential? credential, CancellationToken cancellationToken) =>
        _queries.InspectAsync(ImageReference.Parse(reference).WithDefaultTag(), credential, cancellationToken);

    /// <inheritdoc/>
    public async Task TagAsync(string source, string target, CancellationToken cancellationToken)
    {
        ImageReference name = TagName(target);
        string imageId = "";
        await ChangeAsync(
            index =>
            {
                imageId = ImageLookup.Find(index, source).ImageId;
                return index.WithTag(name.ToString(), imageId);
            },
            cancellationToken).ConfigureAwait(false);
        Raise("tag", imageId, name.Familiar);
    }

    /// <summary>Lets the folder go. Operations under way must have ended.</summary>
    public void Dispose()
    {
        (_source as IDisposable)?.Dispose();
        _destination.Dispose();
        _queries.Dispose();
        _folder.Dispose();
        _changes.Dispose();
    }

    private static RegistryOptions Registries(ImageStoreOptions options) => new() { InsecureRegistries = options.InsecureRegistries };

    private static ImageReference TagName(string text)
    {
        ImageReference name = ImageReference.Parse(text);
        return name.Digest is null
            ? name.WithDefaultTag()
            : throw new CandelaException(ErrorCode.InvalidArgument, "refusing to create a tag with a digest reference");
    }

    /// <summary>Replaces the index, durably, one change at a time.</summary>
    private async Task ChangeAsync(Func<StoreIndex, StoreIndex> change, CancellationToken cancellationToken)
    {
        await _changes.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            StoreIndex changed = change(_index);
            IndexFile.Write(_folder, changed);
            _index = changed;
        }
        finally
        {
            _changes.Release();
        }
    }

    private static Image Describe(StoreIndex index, string imageId)
    {
        StoredImage stored = index.Images[imageId];
        ImageConfigurationFile file = stored.Configuration;
        return new Image
        {
            Id = imageId,
            Tags = Names(index.Tags),
            Digests = Names(index.Manifests),
            SizeBytes = stored.Layers.Sum(static layer => layer.UncompressedBytes),
            CreatedAt = file.Created ?? DateTimeOffset.UnixEpoch,
            LastTaggedAt = stored.TaggedAt,
            ParentId = stored.ParentId,
            Architecture = "amd64",
            OperatingSystem = "linux",
            Author = file.Author ?? "",
            Comment = file.Comment ?? "",
            DiffIds = file.DiffIds,
            Configuration = file.Run?.ToModel() ?? new ImageConfiguration(),
            History = History(stored),
        };

        IReadOnlyList<string> Names(IEnumerable<KeyValuePair<string, string>> names) =>
            [.. names.Where(name => name.Value == imageId).Select(static name => ImageReference.Parse(name.Key).Familiar)];
    }

    /// <summary>Steps with the sizes of their layers, where as many steps as there are layers say that they added one.</summary>
    private static List<ImageHistory> History(StoredImage stored)
    {
        IReadOnlyList<HistoryEntry> steps = stored.Configuration.History ?? [];
        if (steps.Count(static step => !step.IsEmptyLayer) != stored.Layers.Length)
            return [.. stored.Layers.Select(layer => new ImageHistory(stored.Configuration.Created, "", "", layer.UncompressedBytes))];
        int layers = 0;
        return [.. steps.Select(step => new ImageHistory(step.Created, step.CreatedBy ?? "", step.Comment ?? "", step.IsEmptyLayer ? 0 : stored.Layers[layers++].UncompressedBytes))];
    }

    private void Raise(string action, string imageId, string name) => Changed?.Invoke(new ImageEvent(action, imageId, name));

    /// <summary>Reads the index, leaving out images whose configuration is lost or damaged.</summary>
    private StoreIndex ReadIndex()
    {
        StoreIndex index = IndexFile.Read(_folder);
        foreach (string id in index.Images.Keys)
        {
            try
            {
                byte[] json = File.ReadAllBytes(_folder.BlobPath(id));
                if (Digests.Of(json) != id)
                    throw new CandelaException(ErrorCode.ImageInvalid, "its content does not match its digest");
                StoredImage image = index.Images[id] with { Configuration = ImageConfigurationFile.Parse(json, _limits) };
                index = index with { Images = index.Images.SetItem(id, image) };
            }
            catch (Exception e) when (e is IOException or CandelaException)
            {
                LogLost(id, e);
                File.Delete(_folder.BlobPath(id)); // so that it is fetched again
                index = index.WithoutImage(id);
            }
        }

        return index;
    }

    [LoggerMessage(LogLevel.Warning, "Image {Id} is left out: its configuration cannot be read. Pull or load it again.")]
    private partial void LogLost(string id, Exception error);
}
