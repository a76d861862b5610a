using System.Security.Cryptography;
using Candela.Images.BlockImages;
using Candela.Images.Manifests;
using Candela.Images.Naming;
using Candela.Images.Storage;
using Candela.Model;

namespace Candela.Images;

public sealed partial class ImageStore
{
    /// <inheritdoc/>
    public async Task<Image> ImportAsync(Stream rootfsTar, string? reference, ImageConfiguration configuration, CancellationToken cancellationToken)
    {
        ImageReference? name = reference is null ? null : TagName(reference);
        string imageId = await ImportAsync(rootfsTar, name, configuration, "Imported from -", DateTimeOffset.UtcNow, cancellationToken).ConfigureAwait(false);
        Raise("import", imageId, name?.Familiar ?? "");
        return await GetAsync(imageId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes an image of one layer.</summary>
    internal async Task<string> ImportAsync(
        Stream rootfsTar,
        ImageReference? name,
        ImageConfiguration configuration,
        string comment,
        DateTimeOffset created,
        CancellationToken cancellationToken)
    {
        using Uses.Hold hold = _uses.Open();
        string temporary = _folder.NewTemporaryPath();
        try
        {
            string digest = await SpoolAsync(rootfsTar, temporary, cancellationToken).ConfigureAwait(false);
            LayerMeasure layer = await Task.Run(() => _builder.Measure(temporary, cancellationToken), cancellationToken).ConfigureAwait(false);
            hold.Add(digest);
            PublishBlob(temporary, digest);
            ImageConfigurationFile file = new()
            {
                Created = created,
                Architecture = "amd64",
                OperatingSystem = "linux",
                Comment = comment,
                Run = RunConfiguration.FromModel(configuration),
                Layers = new LayerList("layers", [layer.DiffId]),
                History = [new HistoryEntry(created, null, comment)],
            };
            return await AddImageAsync(
                file.ToJson(),
                [digest],
                (index, id) => name is null ? index : index.WithTag(name.ToString(), id),
                null,
                hold,
                cancellationToken).ConfigureAwait(false);
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

    /// <summary>Copies a stream to a file.</summary>
    /// <returns>The content's digest.</returns>
    private async Task<string> SpoolAsync(Stream input, string path, CancellationToken cancellationToken)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write);
        byte[] buffer = new byte[128 << 10];
        for (int read; (read = await input.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
        {
            if (file.Position + read > _limits.UncompressedBytes)
                throw new CandelaException(ErrorCode.ImageInvalid, $"the root file system has more than {_limits.UncompressedBytes} bytes");
            hash.AppendData(buffer, 0, read);
            await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
        }

        return Digests.Format(hash.GetCurrentHash());
    }
}
