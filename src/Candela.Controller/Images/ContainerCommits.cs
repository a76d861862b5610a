using System.IO.Pipelines;
using Candela.Controller.Events;
using Candela.Images;
using Candela.Machine;
using Candela.Model;

namespace Candela.Controller.Images;

/// <summary>
/// Makes images of containers: the writable layer streams from the guest into the image store. A running container is not stopped
/// meanwhile: each file is as it was when it was read.
/// </summary>
internal sealed class ContainerCommits(IImageStore images, IMachine machine, EventLog events)
{
    /// <summary>Makes one.</summary>
    /// <exception cref="CandelaException">Conflict: the container is paused or being removed; ImageNotFound: its image was removed by force.</exception>
    public async Task<Image> CommitAsync(
        Container container, string? reference, string author, string comment, Func<ImageConfiguration, ImageConfiguration> change, CancellationToken cancellationToken)
    {
        var below = await images.GetAsync(container.ImageId, cancellationToken);
        var commit = new ImageCommit
        {
            Reference = reference,
            Configuration = change(Configuration(container, below.Configuration)),
            Author = author,
            Comment = comment,
            CreatedBy = string.Join(' ', container.Process.Arguments),
        };
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pipe = new Pipe();
        var reading = ReadAsync(container, pipe.Writer, stop.Token);
        Image image;
        try
        {
            image = await images.CommitAsync(container.ImageId, pipe.Reader.AsStream(), commit, stop.Token);
        }
        catch
        {
            await stop.CancelAsync();
            await pipe.Reader.CompleteAsync();
            await reading;
            throw;
        }

        await reading;
        events.AddContainer(container, "commit", ("comment", comment), ("imageID", image.Id), ("imageRef", reference ?? ""));
        return image;
    }

    /// <summary>A failure goes to whoever reads.</summary>
    private async Task ReadAsync(Container container, PipeWriter writer, CancellationToken cancellationToken)
    {
        try
        {
            await machine.ReadLayerAsync(container, writer.AsStream(leaveOpen: true), cancellationToken);
            await writer.CompleteAsync();
        }
        catch (Exception e)
        {
            await writer.CompleteAsync(e);
        }
    }

    /// <summary>What the container runs, as a configuration: its own wishes over its image's.</summary>
    private static ImageConfiguration Configuration(Container container, ImageConfiguration image)
    {
        var spec = container.Spec;
        var labels = new Dictionary<string, string>(image.Labels, StringComparer.Ordinal);
        foreach (var (name, value) in spec.Labels)
            labels[name] = value;
        return image with
        {
            User = container.Process.User,
            Environment = container.Process.Environment,
            Entrypoint = spec.Entrypoint ?? image.Entrypoint,
            Command = spec.Command ?? (spec.Entrypoint is null ? image.Command : null),
            WorkingDirectory = spec.WorkingDirectory ?? image.WorkingDirectory,
            Labels = labels,
            Volumes = [.. image.Volumes.Concat(spec.Volumes.Where(static volume => !volume.IsMount && volume.Source.Length == 0).Select(static volume => volume.Target)).Distinct()],
            StopSignal = spec.StopSignal ?? image.StopSignal,
            HealthCheck = container.HealthCheck,
        };
    }
}
