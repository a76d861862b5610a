using Candela.Images.Naming;

namespace Candela.Images.Registry;

/// <summary>Pushes to registries that speak the OCI distribution protocol or Docker Registry v2. Safe for use from many threads.</summary>
internal sealed class RegistryImageDestination : IImageDestination, IDisposable
{
    private readonly RegistryOptions _options;
    private readonly TimeProvider _time;
    private readonly RegistryTransport _transport;

    /// <summary>Opens no connection yet.</summary>
    /// <exception cref="Model.CandelaException">InvalidArgument: the options are wrong.</exception>
    public RegistryImageDestination(RegistryOptions options, TimeProvider time)
    {
        _options = options.Validated();
        _time = time;
        _transport = new RegistryTransport(options);
    }

    /// <inheritdoc/>
    public DestinationRepository Open(ImageReference reference, RegistryCredential? credential, IReadOnlyList<string> mountable)
    {
        string scope = string.Join(' ', [$"repository:{reference.Path}:pull,push", .. mountable.Select(static path => $"repository:{path}:pull")]);
        return new RegistryRepository(new RegistrySession(_transport, _options, _time, reference, credential, scope, isScopeFixed: true), _options, _time);
    }

    /// <inheritdoc/>
    public void Dispose() => _transport.Dispose();
}
