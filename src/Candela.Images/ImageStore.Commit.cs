using Candela.Images.BlockImages;
using Candela.Images.Manifests;
using Candela.Images.Naming;
using Candela.Images.Storage;
using Candela.Model;

namespace Candela.Images;

public sealed partial class ImageStore
{
    /// <inheritdoc/>
    public async Task<Image> CommitAsync(string baseId, Stream layerTar, ImageCommit commit, CancellationToken cancellationToken)
    {
        ImageReference? name = commit.Reference is null ? null : TagName(commit.Reference);
        using Uses.Hold hold = _uses.Open();
        StoredImage below = _index.Images.GetValueOrDefault(baseId) ?? throw new CandelaException(ErrorCode.ImageNotFound, $"No such image: {baseId}");
        foreach (StoredLayer layer in below.Layers)
            hold.Add(layer.Digest);
        string temporary = _folder.NewTemporaryPath();
        try
        {
            string digest = await SpoolAsync(layerTar, temporary, cancellationToken).ConfigureAwait(false);
            LayerMeasure layer = await Task.Run(() => _builder.Measure(temporary, cancellationToken), cancellationToken).ConfigureAwait(false);
            hold.Add(digest);
            PublishBlob(temporary, digest);
            DateTimeOffset now = DateTimeOffset.UtcNow;
            ImageConfigurationFile file = below.Configuration with
            {
                Created = now,
                Author = commit.Author.Length > 0 ? commit.Author : below.Configuration.Author,
                Comment = commit.Comment,
                Architecture = "amd64",
                OperatingSystem = "linux",
                Run = RunConfiguration.FromModel(commit.Configuration),
                Layers = new LayerList("layers", [.. below.Configuration.DiffIds, layer.DiffId]),
                History = [.. below.Configuration.History ?? [], new HistoryEntry(now, commit.CreatedBy, commit.Comment)],
            };
            string imageId = await AddImageAsync(
                file.ToJson(),
                [.. below.Layers.Select(static layer => layer.Digest), digest],
                (index, id) => name is null ? index : index.WithTag(name.ToString(), id),
                null,
                hold,
                cancellationToken).ConfigureAwait(false);
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
}
