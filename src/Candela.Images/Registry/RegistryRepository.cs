using System.Net;
using System.Net.Http.Headers;

namespace Candela.Images.Registry;

/// <summary>A repository of a registry, to push to (OCI distribution-spec, push).</summary>
internal sealed class RegistryRepository(RegistrySession session, RegistryOptions options, TimeProvider time) : DestinationRepository
{
    private readonly RetryPolicy _retry = new(options, time);

    /// <inheritdoc/>
    public override Task<bool> HasAsync(string digest, CancellationToken cancellationToken) => _retry.RunAsync(
        session.Host,
        async attempt =>
        {
            using var response = await session.ChangeAsync(HttpMethod.Head, $"blobs/{digest}", null, [HttpStatusCode.OK, HttpStatusCode.NotFound], attempt).ConfigureAwait(false);
            return response.StatusCode == HttpStatusCode.OK;
        },
        cancellationToken);

    /// <inheritdoc/>
    public override Task<bool> MountAsync(string digest, string from, CancellationToken cancellationToken) => _retry.RunAsync(
        session.Host,
        async attempt =>
        {
            using var response = await session.ChangeAsync(
                HttpMethod.Post, $"blobs/uploads/?mount={Uri.EscapeDataString(digest)}&from={Uri.EscapeDataString(from)}", null, [HttpStatusCode.Created, HttpStatusCode.Accepted], attempt).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.Created)
                return true;

            // The registry has begun an upload instead; nothing is to be left of it. That it may not be cancelled does no harm.
            if (response.Headers.Location is { } location)
                using (await session.ChangeAsync(HttpMethod.Delete, Absolute(response, location).AbsoluteUri, null, [HttpStatusCode.NoContent, HttpStatusCode.NotFound, HttpStatusCode.MethodNotAllowed], attempt).ConfigureAwait(false))
                    return false;
            return false;
        },
        cancellationToken);

    /// <inheritdoc/>
    public override async Task UploadAsync(Descriptor blob, string path, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        using var upload = new BlobUpload(session, options, time, blob, path, progress);
        await upload.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override Task PutManifestAsync(string tag, byte[] manifest, string mediaType, CancellationToken cancellationToken) => _retry.RunAsync(
        session.Host,
        async attempt =>
        {
            using var response = await session.ChangeAsync(
                HttpMethod.Put,
                $"manifests/{tag}",
                () => new ByteArrayContent(manifest) { Headers = { ContentType = new MediaTypeHeaderValue(mediaType) } },
                [HttpStatusCode.Created, HttpStatusCode.OK, HttpStatusCode.Accepted],
                attempt).ConfigureAwait(false);
            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public override void Dispose() => session.Dispose();

    /// <summary>A location that a registry gave, which may be relative to the address that was asked.</summary>
    public static Uri Absolute(HttpResponseMessage response, Uri location) => new(response.RequestMessage!.RequestUri!, location);
}
