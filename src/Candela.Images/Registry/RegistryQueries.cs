using System.Net;
using System.Text.Json;
using Candela.Images.Naming;
using Candela.Images.Storage;
using Candela.Model;

namespace Candela.Images.Registry;

/// <summary>Questions to registries that move no image. Safe for use from many threads.</summary>
internal sealed class RegistryQueries : IDisposable
{
    private readonly RegistryOptions _options;
    private readonly TimeProvider _time;
    private readonly RegistryTransport _transport;
    private readonly RetryPolicy _retry;

    /// <summary>Opens no connection yet.</summary>
    /// <exception cref="CandelaException">InvalidArgument: the options are wrong.</exception>
    public RegistryQueries(RegistryOptions options, TimeProvider time)
    {
        _options = options.Validated();
        _time = time;
        _transport = new RegistryTransport(options);
        _retry = new RetryPolicy(options, time);
    }

    /// <inheritdoc cref="IImageStore.LoginAsync"/>
    public async Task LoginAsync(string registry, RegistryCredential credential, CancellationToken cancellationToken)
    {
        // A session is one of a repository; that it names one makes no difference to the registry's own address.
        if (!ImageReference.TryParse($"{registry}/login", out var reference) || reference!.Path is not ("login" or "library/login"))
            throw new CandelaException(ErrorCode.InvalidArgument, $"invalid registry address \"{registry}\": give host or host:port");
        using var session = new RegistrySession(_transport, _options, _time, reference, credential, "", isScopeFixed: true);
        try
        {
            await _retry.RunAsync(
                session.Host,
                async attempt =>
                {
                    using var response = await session.ChangeAsync(HttpMethod.Get, "/v2/", null, [HttpStatusCode.OK], attempt).ConfigureAwait(false);
                    return true;
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.Unauthenticated or ErrorCode.PermissionDenied)
        {
            throw new CandelaException(ErrorCode.Unauthenticated, $"login attempt to {session.Host}/v2/ failed with status: 401 Unauthorized", e);
        }
    }

    /// <summary>See <see cref="IImageStore.InspectRemoteAsync"/>.</summary>
    public async Task<RemoteImage> InspectAsync(ImageReference reference, RegistryCredential? credential, CancellationToken cancellationToken)
    {
        using var session = new RegistrySession(_transport, _options, _time, reference, credential);
        var reader = new DocumentReader(session, _transport, _retry);
        var named = reference.Digest ?? reference.Tag ?? ImageReference.DefaultTag;
        if (await reader.ReadAsync($"manifests/{named}", MediaTypes.Manifests, ManifestDocument.MaximumBytes, cancellationToken).ConfigureAwait(false) is not var (bytes, contentType))
            throw Invalid("its manifest is too large");
        var digest = Digests.Of(bytes);
        if (reference.Digest is not null && reference.Digest != digest)
            throw Invalid($"{reference.Digest} was asked for, {digest} was sent");
        var document = ManifestDocument.Parse(bytes, contentType, reference.Familiar);
        var platforms = document switch
        {
            IndexDocument index => [.. index.Entries.Where(static entry => entry.OperatingSystem is not ("" or "unknown")).Select(static entry => new RemotePlatform(entry.OperatingSystem, entry.Architecture, entry.Variant))],
            ImageDocument image => [await PlatformAsync(image.Configuration).ConfigureAwait(false)],
            _ => (IReadOnlyList<RemotePlatform>)[],
        };
        return new RemoteImage(contentType, digest, bytes.Length, platforms);

        async Task<RemotePlatform> PlatformAsync(Descriptor configuration)
        {
            if (await reader.ReadAsync($"blobs/{configuration.Digest}", [], ImageDocument.MaximumConfigurationBytes, cancellationToken).ConfigureAwait(false) is not var (json, _)
                || Digests.Of(json) != configuration.Digest)
                throw Invalid("its configuration is not what the manifest says");
            try
            {
                using var parsed = JsonDocument.Parse(json);
                return new RemotePlatform(Text(parsed.RootElement, "os"), Text(parsed.RootElement, "architecture"), Text(parsed.RootElement, "variant"));
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                throw Invalid("its configuration is no JSON");
            }
        }

        CandelaException Invalid(string reason) => new(ErrorCode.ImageInvalid, $"{session.Host} sent a wrong {reference.Familiar}: {reason}");
    }

    /// <inheritdoc/>
    public void Dispose() => _transport.Dispose();

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() ?? "" : "";
}
