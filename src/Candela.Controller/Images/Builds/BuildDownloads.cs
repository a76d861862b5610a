using Candela.Build;
using Candela.Model;

namespace Candela.Controller.Images.Builds;

/// <summary>Fetches what ADD names by an address.</summary>
internal sealed class BuildDownloads : IDisposable
{
    private const int BytesMaximum = 128 << 20;
    private static readonly TimeSpan _deadline = TimeSpan.FromMinutes(5);

    private readonly HttpClient _client = new(new SocketsHttpHandler { MaxAutomaticRedirections = 5, PooledConnectionLifetime = TimeSpan.FromMinutes(1), UseCookies = false })
    {
        Timeout = _deadline,
        MaxResponseContentBufferSize = BytesMaximum,
    };

    /// <summary>Fetches one.</summary>
    /// <exception cref="CandelaException">InvalidArgument: it is not there, or too large.</exception>
    public async Task<FetchedFile> FetchAsync(Uri address, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _client.GetAsync(address, cancellationToken);
            if (!response.IsSuccessStatusCode)
                throw new CandelaException(ErrorCode.InvalidArgument, $"error downloading {address}: {(int)response.StatusCode} {response.ReasonPhrase}");
            return new FetchedFile(await response.Content.ReadAsByteArrayAsync(cancellationToken), response.Content.Headers.LastModified);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, $"error downloading {address} (at most {BytesMaximum} bytes, {_deadline.TotalMinutes} minutes): {e.Message}", e);
        }
    }

    public void Dispose() => _client.Dispose();
}
