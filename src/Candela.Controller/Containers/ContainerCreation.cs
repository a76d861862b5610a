using System.Security.Cryptography;
using Candela.Controller.Health;
using Candela.Controller.Images;
using Candela.Controller.Networks;
using Candela.Controller.Volumes;
using Candela.Images;
using Candela.Model;

namespace Candela.Controller.Containers;

/// <summary>Makes containers of specifications.</summary>
internal sealed class ContainerCreation(
    ControllerOptions options, ContainerTable table, ContainerLifecycle lifecycle, ImageRemovals removals, NetworkService networks, VolumeService volumes, IImageStore images, TimeProvider time)
{
    private const int HostnameDigits = 12;

    /// <summary>Creates; a null name is made up.</summary>
    public async Task<Container> CreateAsync(string project, string? name, ContainerSpec spec, CancellationToken cancellationToken)
    {
        SpecCheck.Check(spec);
        IReadOnlyList<NetworkAttachment> attachments = await networks.CheckAsync(project, spec);
        if (name is not null)
            name = ContainerNames.Check(name);
        CheckCount(1);
        var seen = removals.Generation;
        var image = await images.GetAsync(spec.Image, cancellationToken);
        var entry = NewEntry(project, spec, attachments, image);
        Hold(entry, name);
        try
        {
            // The held name makes the image count as used. An image removed before that must be looked up again.
            if (await removals.HappenedSinceAsync(seen, cancellationToken))
                Replace(entry, spec, image = await images.GetAsync(spec.Image, cancellationToken));
            await volumes.ResolveAsync(entry, image.Configuration.Volumes, cancellationToken);
        }
        catch
        {
            table.Release(entry, entry.Record.Name);
            throw;
        }

        try
        {
            await lifecycle.CreateAsync(entry);
        }
        catch
        {
            await volumes.RemoveAnonymousAsync(entry.Record);
            throw;
        }

        return entry.Record;
    }

    /// <summary>Refuses more containers than are allowed.</summary>
    /// <exception cref="CandelaException">ResourceExhausted.</exception>
    public void CheckCount(int more)
    {
        if (table.Count + more > options.ContainerCount)
            throw new CandelaException(ErrorCode.ResourceExhausted, $"at most {options.ContainerCount} containers are allowed: remove some first (candela rm)");
    }

    /// <summary>64 digits, the first twelve not all decimal: as a host name they must not look like a number.</summary>
    public static string NewId()
    {
        while (true)
        {
            var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
            if (id.AsSpan(0, HostnameDigits).IndexOfAnyInRange('a', 'f') >= 0)
                return id;
        }
    }

    private ContainerEntry NewEntry(string project, ContainerSpec spec, IReadOnlyList<NetworkAttachment> attachments, Image image) => new(new Container
    {
        Id = NewId(),
        Name = "",
        Project = project,
        CreatedAt = time.GetUtcNow(),
        ImageId = image.Id,
        Spec = spec,
        Process = ProcessResolver.Resolve(spec, image.Configuration),
        Networks = attachments,
        ExposedPorts = ExposedPort.Resolve(image.Configuration.ExposedPorts, spec),
        HealthCheck = HealthCheckResolver.Resolve(spec.HealthCheck, image.Configuration.HealthCheck),
        Status = new ContainerStatus(),
        Revision = 1,
    });

    private static void Replace(ContainerEntry entry, ContainerSpec spec, Image image)
    {
        lock (entry.Sync)
            entry.Update(record => record with
            {
                ImageId = image.Id,
                Process = ProcessResolver.Resolve(spec, image.Configuration),
                ExposedPorts = ExposedPort.Resolve(image.Configuration.ExposedPorts, spec),
                HealthCheck = HealthCheckResolver.Resolve(spec.HealthCheck, image.Configuration.HealthCheck),
            });
    }

    private void Hold(ContainerEntry entry, string? name)
    {
        if (name is not null)
        {
            Name(name);
            table.Reserve(entry, name);
            return;
        }

        var attempt = 0;
        do
        {
            name = ContainerNames.MakeUp(attempt++);
            Name(name);
        }
        while (table.TryReserve(entry, name) is not null);

        void Name(string text)
        {
            lock (entry.Sync)
                entry.Update(record => record with { Name = text });
        }
    }
}
