using Candela.Build.Steps;
using Candela.Images;
using Candela.Model;

namespace Candela.Build;

/// <summary>Images that <c>--cache-from</c> names: their histories tell which steps they are made of.</summary>
internal sealed class CacheSources(IBuildHost host, IReadOnlyList<string> references)
{
    private List<Image>? _images;

    /// <summary>An image that is what the stage would be after a step, made of the layers of one of these images; null: there is none.</summary>
    public async Task<Image?> FindAsync(StageState stage, string createdBy, CancellationToken cancellationToken)
    {
        if (references.Count == 0)
            return null;
        _images ??= await OpenAsync(cancellationToken).ConfigureAwait(false);
        foreach (Image image in _images)
        {
            // Only the whole image is at hand as one: of those between, layers alone say nothing about their configuration.
            int steps = stage.Image?.History.Count ?? 0;
            if (image.History.Count == steps + 1
                && image.History[steps].CreatedBy == createdBy
                && image.History.Take(steps).Select(static step => step.CreatedBy).SequenceEqual(stage.Image?.History.Select(static step => step.CreatedBy) ?? [])
                && image.DiffIds.Take(stage.Image?.DiffIds.Count ?? 0).SequenceEqual(stage.Image?.DiffIds ?? []))
                return image;
        }

        return null;
    }

    private async Task<List<Image>> OpenAsync(CancellationToken cancellationToken)
    {
        List<Image> images = [];
        foreach (string reference in references)
        {
            try
            {
                images.Add(await host.GetImageAsync(reference, pullsAlways: false, cancellationToken).ConfigureAwait(false));
            }
            catch (CandelaException)
            {
                // A cache that is not there makes the build slower, not wrong.
            }
        }

        return images;
    }
}
