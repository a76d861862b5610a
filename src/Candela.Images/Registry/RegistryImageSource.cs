using System.Security.Cryptography;
using Candela.Images.Naming;
using Candela.Model;

namespace Candela.Images.Registry;

/// <summary>Pulls from registries that speak the OCI distribution protocol or Docker Registry v2. Safe for use from many threads.</summary>
internal sealed class RegistryImageSource : IImageSource, IDisposable
{
    private const int MaximumIndexDepth = 3;
    private readonly RegistryOptions _options;
    private readonly TimeProvider _time;
    private readonly RegistryTransport _transport;
    private readonly RetryPolicy _retry;

    /// <summary>Opens no connection yet.</summary>
    /// <exception cref="CandelaException">InvalidArgument: the options are wrong.</exception>
    public RegistryImageSource(RegistryOptions options, TimeProvider time)
    {
        _options = options.Validated();
        _time = time;
        _transport = new RegistryTransport(options);
        _retry = new RetryPolicy(options, time);
    }

    /// <inheritdoc/>
    public async Task<SourceImage> ResolveAsync(ImageReference reference, RegistryCredential? credential, CancellationToken cancellationToken)
    {
        var session = new RegistrySession(_transport, _options, _time, reference, credential);
        try
        {
            var named = reference.Digest ?? reference.Tag ?? ImageReference.DefaultTag;
            var (bytes, contentType) = await GetManifestAsync(session, named, cancellationToken).ConfigureAwait(false);
            var digest = Digest(bytes);
            if (reference.Digest is not null && digest != reference.Digest)
                throw Invalid(session, $"{reference.Digest} was asked for, {digest} was sent");
            return await ChooseAsync(session, digest, bytes, contentType, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _transport.Dispose();

    private async Task<SourceImage> ChooseAsync(RegistrySession session, string digest, byte[] bytes, string contentType, CancellationToken cancellationToken)
    {
        var name = session.Reference.Familiar;
        var document = ManifestDocument.Parse(bytes, contentType, name);
        for (var depth = 0; document is IndexDocument index; depth++)
        {
            if (depth == MaximumIndexDepth)
                throw Invalid(session, $"indexes are nested more than {MaximumIndexDepth} deep");
            var chosen = index.Choose(name);
            if (chosen.Size > ManifestDocument.MaximumBytes)
                throw TooLarge(session);
            (bytes, _) = await GetManifestAsync(session, chosen.Digest, cancellationToken).ConfigureAwait(false);
            if (Digest(bytes) != chosen.Digest || bytes.Length != chosen.Size)
                throw Invalid(session, $"{chosen.Digest} with {chosen.Size} bytes was asked for, {Digest(bytes)} with {bytes.Length} bytes was sent");
            document = ManifestDocument.Parse(bytes, chosen.MediaType, name);
        }

        return new RegistryImage(session, _options, _time, digest, bytes, (ImageDocument)document);
    }

    private async Task<(byte[] Bytes, string ContentType)> GetManifestAsync(RegistrySession session, string named, CancellationToken cancellationToken) =>
        await new DocumentReader(session, _transport, _retry).ReadAsync($"manifests/{named}", MediaTypes.Manifests, ManifestDocument.MaximumBytes, cancellationToken).ConfigureAwait(false)
            ?? throw TooLarge(session);

    private static CandelaException TooLarge(RegistrySession session)
        => Invalid(session, $"it has more than {ManifestDocument.MaximumBytes} bytes");

    private static CandelaException Invalid(RegistrySession session, string reason)
        => new(ErrorCode.ImageInvalid, $"{session.Host} sent a wrong manifest of {session.Reference.Familiar}: {reason}");

    private static string Digest(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));
}
