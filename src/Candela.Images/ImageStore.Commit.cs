using Candela.Images.BlockImages;
using Candela.Images.Manifests;
using Candela.Images.Naming;
using Candela.Images.Storage;

namespace Candela.Images;

public sealed partial class ImageStore
{
    /// <inheritdoc/>
    public async Task<Image> CommitAsync(string? baseId, Stream? layerTar, ImageCommit commit, CancellationToken cancellationToken)
    {
        ImageReference? name = commit.Reference is null ? null : TagName(commit.Reference);
        using Uses.Hold hold = _uses.Open();
        StoredImage below = baseId is null ? new StoredImage { Layers = [] } : Hold(baseId, hold);
        string temporary = _folder.NewTemporaryPath();
        try
        {
            List<StoredLayer> layers = [.. below.Layers];
            if (layerTar is not null)
            {
                string digest = await SpoolAsync(layerTar, temporary, cancellationToken).ConfigureAwait(false);
                LayerMeasure measure = await Task.Run(() => _builder.Measure(temporary, cancellationToken), cancellationToken).ConfigureAwait(false);
                hold.Add(digest);
                PublishBlob(temporary, digest);
                layers.Add(new StoredLayer(digest, measure.DiffId, measure.Bytes));
            }

            DateTimeOffset now = DateTimeOffset.UtcNow;
            ImageConfigurationFile file = below.Configuration with
            {
                Created = now,
                Author = commit.Author.Length > 0 ? commit.Author : below.Configuration.Author,
                Comment = commit.Comment,
                Architecture = "amd64",
                OperatingSystem = "linux",
                Run = RunConfiguration.FromModel(commit.Configuration),
                Layers = new LayerList("layers", [.. layers.Select(static layer => layer.DiffId)]),
                History = [.. below.Configuration.History ?? [], new HistoryEntry(now, commit.CreatedBy, commit.Comment, IsEmptyLayer: layerTar is null)],
            };
            byte[] json = file.ToJson();
            Func<StoreIndex, string, StoreIndex> naming = (index, id) => Name(index, id, baseId ?? "", commit, name);
            string imageId = commit.BuildKey is null
                ? await AddImageAsync(json, [.. layers.Select(static layer => layer.Digest)], naming, null, hold, cancellationToken).ConfigureAwait(false)
                : await AddBuiltAsync(json, layers, naming, hold, cancellationToken).ConfigureAwait(false);
            if (name is not null)
                Raise("tag", imageId, name.Familiar);
            return await GetAsync(imageId, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            hold.Dispose();
            await CollectGarbageAsync(CancellationToken.None).ConfigureAwait(false);
            if (LinuxFile.IsDiskFull(e))
                throw LinuxFile.DiskFull(_folder.Root, e);
            throw;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static StoreIndex Name(StoreIndex index, string id, string parentId, ImageCommit commit, ImageReference? name)
    {
        index = index with
        {
            Images = index.Images.SetItem(id, index.Images[id] with { ParentId = parentId, BuildKey = commit.BuildKey, IsIntermediate = commit.IsIntermediate }),
        };
        return name is null ? index : index.WithTag(name.ToString(), id);
    }

    /// <summary>Adds an image whose layers have been measured; its block image is made when it is needed.</summary>
    private async Task<string> AddBuiltAsync(
        byte[] configuration, List<StoredLayer> layers, Func<StoreIndex, string, StoreIndex> naming, Uses.Hold hold, CancellationToken cancellationToken)
    {
        ImageConfigurationFile file = ImageConfigurationFile.Parse(configuration, _limits);
        string imageId = Digests.Of(configuration);
        hold.Add(imageId);
        WriteBlob(configuration, imageId);
        await ChangeAsync(
            index => naming(index with { Images = index.Images.SetItem(imageId, new StoredImage { Layers = [.. layers], Configuration = file }) }, imageId),
            cancellationToken).ConfigureAwait(false);
        return imageId;
    }
}
