using System.Globalization;
using System.Net;
using Candela.Model;

namespace Candela.Images.Registry;

/// <summary>
/// Uploads one blob in chunks (OCI distribution-spec, pushing a blob in chunks). After a failure that may pass it asks how much the
/// registry has got, and goes on there.
/// </summary>
internal sealed class BlobUpload(
    RegistrySession session, RegistryOptions options, TimeProvider time, Descriptor blob, string path, IProgress<long>? progress) : IDisposable
{
    private static readonly TimeSpan _progressInterval = TimeSpan.FromMilliseconds(200);

    private readonly RetryPolicy _retry = new(options, time);
    private readonly CancellationTokenSource _abandoned = new();
    private Uri? _location;
    private long _done;

    /// <summary>Uploads until the registry has the whole blob.</summary>
    /// <exception cref="CandelaException">See <see cref="DestinationRepository"/>.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        for (var attempt = 1; ; attempt++)
        {
            var before = _done;
            try
            {
                await (_location is null ? BeginAsync(cancellationToken) : ResumeAsync(cancellationToken)).ConfigureAwait(false);
                await SendAsync(cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                // Not always as a cancellation: a body that is being sent ends as a broken connection.
                await CancelAsync().ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                throw;
            }
            catch (Exception e) when (RetryPolicy.IsPassing(e))
            {
                failures = _done > before ? 1 : failures + 1;
                if (attempt >= options.LayerAttempts || !await _retry.WaitAsync(e, failures, cancellationToken).ConfigureAwait(false))
                    throw RetryPolicy.Unavailable(session.Host, e);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _abandoned.Dispose();

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        using var response = await session.ChangeAsync(HttpMethod.Post, "blobs/uploads/", null, [HttpStatusCode.Accepted], cancellationToken).ConfigureAwait(false);
        _done = 0;
        Follow(response);
    }

    private async Task ResumeAsync(CancellationToken cancellationToken)
    {
        using var response = await session.ChangeAsync(
            HttpMethod.Get, _location!.AbsoluteUri, null, [HttpStatusCode.NoContent, HttpStatusCode.Accepted, HttpStatusCode.NotFound, HttpStatusCode.MethodNotAllowed], cancellationToken).ConfigureAwait(false);
        if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed)
        {
            _location = null; // the upload is lost, or cannot be asked about
            await BeginAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        _done = Received(response) ?? 0;
        Follow(response);
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        var throttled = progress is null ? null : new Throttled(progress, time);
        while (_done < blob.Size)
        {
            var (start, length) = (_done, Math.Min(options.UploadChunkBytes, blob.Size - _done));
            using var response = await session.ChangeAsync(
                HttpMethod.Patch, _location!.AbsoluteUri, () => new FileRangeContent(path, start, length, throttled), [HttpStatusCode.Accepted], cancellationToken).ConfigureAwait(false);
            var received = Received(response) ?? start + length;
            if (received <= start || received > start + length)
                throw new PassingFailureException($"{session.Host} says that it has {received} bytes of {blob.Digest}, {start + length} were sent", null);
            _done = received;
            Follow(response);
        }

        var separator = _location!.Query.Length > 0 ? '&' : '?';
        using var done = await session.ChangeAsync(
            HttpMethod.Put, $"{_location.AbsoluteUri}{separator}digest={Uri.EscapeDataString(blob.Digest)}", static () => new ByteArrayContent([]), [HttpStatusCode.Created, HttpStatusCode.NoContent], cancellationToken).ConfigureAwait(false);
        progress?.Report(blob.Size);
    }

    private async Task CancelAsync()
    {
        if (_location is null)
            return;
        _abandoned.CancelAfter(options.ConnectTimeout);
        try
        {
            using (await session.ChangeAsync(HttpMethod.Delete, _location.AbsoluteUri, null, [HttpStatusCode.NoContent, HttpStatusCode.NotFound], _abandoned.Token).ConfigureAwait(false))
            {
            }
        }
        catch (Exception e) when (RetryPolicy.IsPassing(e) || e is CandelaException or OperationCanceledException)
        {
            // The registry purges what is left of it itself.
        }
    }

    private void Follow(HttpResponseMessage response)
    {
        if (response.Headers.Location is not { } location)
            throw new CandelaException(ErrorCode.Unavailable, $"the registry {session.Host} does not say where to upload to");
        var next = RegistryRepository.Absolute(response, location);
        if (next.Scheme is not ("http" or "https") || (response.RequestMessage!.RequestUri!.Scheme == Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttps))
            throw new CandelaException(ErrorCode.PermissionDenied, $"the registry {session.Host} wants uploads over plain http: refused");
        _location = next;
    }

    /// <summary>Bytes that the registry has, by its Range header (<c>0-LAST</c>); null: it does not say.</summary>
    private static long? Received(HttpResponseMessage response)
    {
        if (!response.Headers.NonValidated.TryGetValues("Range", out var values))
            return null;
        var text = values.ToString();
        var dash = text.LastIndexOf('-');
        if (dash < 0 || !long.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var last))
            return null;
        return last == 0 ? 0 : last + 1;
    }

    private sealed class Throttled(IProgress<long> progress, TimeProvider time) : IProgress<long>
    {
        private long _reportedAt;

        public void Report(long value)
        {
            if (_reportedAt != 0 && time.GetElapsedTime(_reportedAt) < _progressInterval)
                return;
            _reportedAt = time.GetTimestamp();
            progress.Report(value);
        }
    }
}
