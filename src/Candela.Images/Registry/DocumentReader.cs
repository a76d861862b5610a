using System.Net;

namespace Candela.Images.Registry;

/// <summary>Reads what is small enough for memory from a repository: manifests, indexes, configurations.</summary>
internal sealed class DocumentReader(RegistrySession session, RegistryTransport transport, RetryPolicy retry)
{
    /// <summary>Reads one; null when it is longer than <paramref name="limit"/> bytes. Its digest is still to be verified.</summary>
    public Task<(byte[] Bytes, string ContentType)?> ReadAsync(string path, IReadOnlyList<string> accept, int limit, CancellationToken cancellationToken) => retry.RunAsync(
        session.Host,
        async Task<(byte[] Bytes, string ContentType)?> (attempt) =>
        {
            using var response = await session.GetAsync(path, accept, 0, attempt).ConfigureAwait(false);
            if (response.StatusCode != HttpStatusCode.OK)
                throw new PassingFailureException($"HTTP status {(int)response.StatusCode} for {path}", null);
            return await transport.ReadAsync(response, limit, attempt).ConfigureAwait(false) is { } bytes
                ? (bytes, response.Content.Headers.ContentType?.MediaType ?? "")
                : null;
        },
        cancellationToken);
}
