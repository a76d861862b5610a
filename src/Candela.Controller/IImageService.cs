using Candela.Images;

namespace Candela.Controller;

/// <summary>Images as front ends see them: the store's verbs, authorized, audited and turned into events.</summary>
public interface IImageService
{
    /// <summary>All images.</summary>
    Task<IReadOnlyList<Image>> ListAsync(Caller caller, CancellationToken cancellationToken);

    /// <summary>One image by name, id or id prefix.</summary>
    Task<Image> GetAsync(Caller caller, string reference, CancellationToken cancellationToken);

    /// <inheritdoc cref="IImageStore.PullAsync"/>
    Task<Image> PullAsync(Caller caller, string reference, RegistryCredential? credential, IProgress<ImageProgress>? progress, CancellationToken cancellationToken);

    /// <inheritdoc cref="IImageStore.PushAsync"/>
    Task<PushedImage> PushAsync(Caller caller, string reference, RegistryCredential? credential, IProgress<ImageProgress>? progress, CancellationToken cancellationToken);

    /// <inheritdoc cref="IImageStore.LoginAsync"/>
    Task LoginAsync(Caller caller, string registry, RegistryCredential credential, CancellationToken cancellationToken);

    /// <inheritdoc cref="IImageStore.InspectRemoteAsync"/>
    Task<RemoteImage> InspectRemoteAsync(Caller caller, string reference, RegistryCredential? credential, CancellationToken cancellationToken);

    /// <inheritdoc cref="IImageStore.LoadAsync"/>
    Task<IReadOnlyList<Image>> LoadAsync(Caller caller, Stream archive, IProgress<ImageProgress>? progress, CancellationToken cancellationToken);

    /// <inheritdoc cref="IImageStore.SaveAsync"/>
    Task SaveAsync(Caller caller, IReadOnlyList<string> references, Func<Task<Stream>> begin, CancellationToken cancellationToken);

    /// <inheritdoc cref="IImageStore.ImportAsync"/>
    Task<Image> ImportAsync(Caller caller, Stream rootfsTar, string? reference, ImageConfiguration configuration, CancellationToken cancellationToken);

    /// <summary>Makes an image of what a container, running or not, has changed in its own.</summary>
    /// <param name="caller">Who calls.</param>
    /// <param name="container">Container, by name or id.</param>
    /// <param name="reference">Name of the image; null: none.</param>
    /// <param name="author">Author, or empty.</param>
    /// <param name="comment">Comment, or empty.</param>
    /// <param name="change">Makes the image's configuration of the container's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<Image> CommitAsync(
        Caller caller, string container, string? reference, string author, string comment, Func<ImageConfiguration, ImageConfiguration> change, CancellationToken cancellationToken);

    /// <summary>Builds an image of a Dockerfile. The commands in it run in containers of the caller's.</summary>
    /// <param name="caller">Who calls.</param>
    /// <param name="context">Its context, as tar.</param>
    /// <param name="request">What to build; its context path is set here.</param>
    /// <param name="credentials">Credential for a registry (<c>host[:port]</c>), or null.</param>
    /// <param name="output">Told what is done.</param>
    /// <param name="cancellationToken">Gives up; nothing but finished steps is left.</param>
    /// <returns>The image's id.</returns>
    /// <exception cref="Candela.Build.BuildCommandException">A command failed.</exception>
    Task<string> BuildAsync(
        Caller caller, Stream context, Candela.Build.BuildRequest request, Func<string, RegistryCredential?> credentials, Candela.Build.IBuildOutput output, CancellationToken cancellationToken);

    /// <summary>Removes what is kept for further builds only.</summary>
    /// <returns>Bytes freed.</returns>
    Task<long> PruneBuildsAsync(Caller caller, CancellationToken cancellationToken);

    /// <inheritdoc cref="IImageStore.TagAsync"/>
    Task TagAsync(Caller caller, string source, string target, CancellationToken cancellationToken);

    /// <summary>Removes a name or an image; Conflict (Docker's wording) when containers use it.</summary>
    Task<IReadOnlyList<ImageRemoval>> RemoveAsync(Caller caller, string reference, bool force, CancellationToken cancellationToken);

    /// <summary>Removes dangling images (with <paramref name="all"/>: every unused one) that <paramref name="isMeant"/> is true of (null: any) and collects garbage; images in use stay.</summary>
    /// <returns>What was removed, and by how many bytes the store's disk usage fell.</returns>
    Task<(IReadOnlyList<ImageRemoval> Removed, long FreedBytes)> PruneAsync(Caller caller, bool all, Func<Image, bool>? isMeant, CancellationToken cancellationToken);

    /// <summary>Disk usage of all image data, bytes.</summary>
    Task<long> GetDiskUsageAsync(Caller caller, CancellationToken cancellationToken);
}

/// <summary>The machine and its parents as front ends see them.</summary>
public interface IMachineService
{
    /// <summary>What this machine is, and why its driver was chosen.</summary>
    Task<MachineReport> GetAsync(Caller caller, CancellationToken cancellationToken);

    /// <summary>Parents.</summary>
    Task<IReadOnlyList<Microvisor.ParentStatus>> ListParentsAsync(Caller caller, CancellationToken cancellationToken);

    /// <summary>Makes the parent of this size ahead of need.</summary>
    Task<Microvisor.ParentStatus> EnsureParentAsync(Caller caller, int vcpus, long memoryBytes, CancellationToken cancellationToken);

    /// <summary>Removes a parent; it is made anew on next need.</summary>
    Task RemoveParentAsync(Caller caller, string key, CancellationToken cancellationToken);
}

/// <summary>What a machine is.</summary>
/// <param name="Hostname">Host name.</param>
/// <param name="OperatingSystem">For example <c>Debian GNU/Linux 12 (bookworm)</c>.</param>
/// <param name="KernelVersion">Host kernel.</param>
/// <param name="CpuCount">Logical CPUs.</param>
/// <param name="MemoryBytes">Physical memory.</param>
/// <param name="StateFolder">State folder.</param>
/// <param name="RunFolder">Run folder.</param>
/// <param name="Driver">Driver, accelerator and reasons.</param>
/// <param name="GuestVersion">Guest version in use.</param>
/// <param name="GuestKernel">Guest kernel release.</param>
public sealed record MachineReport(
    string Hostname,
    string OperatingSystem,
    string KernelVersion,
    int CpuCount,
    long MemoryBytes,
    string StateFolder,
    string RunFolder,
    Microvisor.DriverReport Driver,
    string GuestVersion,
    string GuestKernel);
