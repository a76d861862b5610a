using Candela.Images;
using Candela.Images.Files;
using Candela.Model;

namespace Candela.Build;

/// <summary>What a build needs of the platform. Failures are <see cref="CandelaException"/>s.</summary>
public interface IBuildHost
{
    /// <summary>A base image: that which is here, else (or always) pulled.</summary>
    Task<Image> GetImageAsync(string reference, bool pullsAlways, CancellationToken cancellationToken);

    /// <inheritdoc cref="IImageStore.OpenFilesAsync"/>
    Task<FileTree> OpenFilesAsync(string? imageId, CancellationToken cancellationToken);

    /// <inheritdoc cref="IImageStore.FindBuiltAsync"/>
    Task<Image?> FindBuiltAsync(string buildKey, CancellationToken cancellationToken);

    /// <inheritdoc cref="IImageStore.CommitAsync"/>
    Task<Image> CommitAsync(string? baseId, Stream? layerTar, ImageCommit commit, CancellationToken cancellationToken);

    /// <inheritdoc cref="IImageStore.KeepBuiltAsync"/>
    Task KeepBuiltAsync(string imageId, IReadOnlyList<string> references, CancellationToken cancellationToken);

    /// <inheritdoc cref="IImageStore.NewTemporaryPath"/>
    string NewTemporaryPath();

    /// <summary>Makes a container, in which a command is to run. Disposing removes it, whatever it does.</summary>
    Task<IBuildContainer> CreateContainerAsync(ContainerSpec spec, CancellationToken cancellationToken);

    /// <summary>Fetches what ADD names by its address.</summary>
    Task<FetchedFile> FetchAsync(Uri address, CancellationToken cancellationToken);
}

/// <summary>A container of a build.</summary>
public interface IBuildContainer : IAsyncDisposable
{
    /// <summary>Its id.</summary>
    string Id { get; }

    /// <summary>Starts it, hands its output on, and waits for its end.</summary>
    /// <returns>Its exit code.</returns>
    Task<int> RunAsync(Func<OutputChunk, ValueTask> write, CancellationToken cancellationToken);

    /// <summary>Writes what it has changed in its files as a layer.</summary>
    Task ReadLayerAsync(Stream destination, CancellationToken cancellationToken);
}

/// <summary>A file from elsewhere.</summary>
/// <param name="Content">Its content.</param>
/// <param name="ModifiedAt">Its time, or null.</param>
public sealed record FetchedFile(byte[] Content, DateTimeOffset? ModifiedAt);

/// <summary>Where a build tells what it does.</summary>
public interface IBuildOutput
{
    /// <summary>Tells something; waits while the reader is slow.</summary>
    ValueTask WriteAsync(string text, CancellationToken cancellationToken);
}

/// <summary>A command of a build has failed.</summary>
public sealed class BuildCommandException(string message, int exitCode) : Exception(message)
{
    /// <summary>Its exit code.</summary>
    public int ExitCode { get; } = exitCode;
}
