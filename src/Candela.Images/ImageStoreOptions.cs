namespace Candela.Images;

/// <summary>How an image store is set up.</summary>
public sealed record ImageStoreOptions
{
    /// <summary>Folder of the store; made when absent. One process at a time may use it.</summary>
    public required string Folder { get; init; }

    /// <summary>Limits on image data.</summary>
    public ImageLimits Limits { get; init; } = new();

    /// <summary>Registries (<c>host[:port]</c>) that may be reached over HTTP, or over TLS with a certificate that is not trusted.</summary>
    public IReadOnlyList<string> InsecureRegistries { get; init; } = [];
}
