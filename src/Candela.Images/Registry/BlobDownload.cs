using System.Net;
using System.Security.Cryptography;
using Candela.Model;

namespace Candela.Images.Registry;

/// <summary>Downloads one blob into a file: continues what is there, takes up broken downloads, verifies size and digest.</summary>
internal sealed class BlobDownload(
    RegistrySession session, RegistryOptions options, TimeProvider time, Descriptor blob, IProgress<long>? progress) : IDisposable
{
    private const int ChunkBytes = 128 * 1024;
    private const int NoSpaceLeft = 28;
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(200);

    private readonly RetryPolicy _retry = new(options, time);
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _chunk = new byte[ChunkBytes];
    private long _done;
    private long _reportedAt;

    /// <summary>Downloads until the blob is there as a whole.</summary>
    /// <exception cref="CandelaException">See <see cref="SourceImage.FetchAsync"/>.</exception>
    public async Task RunAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            HashExisting(file, cancellationToken);
            var continued = _done > 0;
            var digest = await DownloadAsync(file, cancellationToken).ConfigureAwait(false);
            if (digest != blob.Digest && continued)
            {
                // What was there before may be what is wrong.
                Restart(file);
                digest = await DownloadAsync(file, cancellationToken).ConfigureAwait(false);
            }

            if (digest != blob.Digest)
                throw Invalid($"its content has the digest {digest}");
        }
        catch (CandelaException e) when (e.Code == ErrorCode.ImageInvalid)
        {
            File.Delete(path);
            throw;
        }
        catch (IOException e) when ((e.HResult & 0xFFFF) == NoSpaceLeft)
        {
            throw new CandelaException(ErrorCode.ResourceExhausted, $"no space left on the disk for {blob.Digest} ({blob.Size} bytes)", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();

    private void HashExisting(FileStream file, CancellationToken cancellationToken)
    {
        if (file.Length > blob.Size)
            Restart(file);
        while (file.Read(_chunk) is > 0 and var count)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _hash.AppendData(_chunk, 0, count);
            _done += count;
        }
    }

    private void Restart(FileStream file)
    {
        file.SetLength(0);
        _ = _hash.GetHashAndReset();
        _done = 0;
    }

    private async Task<string> DownloadAsync(FileStream file, CancellationToken cancellationToken)
    {
        var failures = 0;
        for (var attempt = 1; _done < blob.Size; attempt++)
        {
            var before = _done;
            try
            {
                await TransferAsync(file, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (RetryPolicy.IsPassing(e))
            {
                failures = _done > before ? 1 : failures + 1;
                if (attempt >= options.LayerAttempts || !await _retry.WaitAsync(e, failures, cancellationToken).ConfigureAwait(false))
                    throw RetryPolicy.Unavailable(session.Host, e);
            }
        }

        progress?.Report(_done);
        return "sha256:" + Convert.ToHexStringLower(_hash.GetHashAndReset());
    }

    private async Task TransferAsync(FileStream file, CancellationToken cancellationToken)
    {
        using var response = await session.GetAsync($"blobs/{blob.Digest}", [], _done, cancellationToken).ConfigureAwait(false);
        Position(file, response);
        Report();
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        while (true)
        {
            idle.CancelAfter(options.IdleTimeout);
            var count = await ReadAsync(body, idle.Token, cancellationToken).ConfigureAwait(false);
            idle.CancelAfter(Timeout.InfiniteTimeSpan);
            if (count == 0)
                break;
            if (count > blob.Size - _done)
                throw Invalid($"it is longer than {blob.Size} bytes");
            file.Write(_chunk, 0, count);
            _hash.AppendData(_chunk, 0, count);
            _done += count;
            Report();
        }

        if (_done < blob.Size)
            throw new PassingFailureException($"{blob.Digest} ended after {_done} of {blob.Size} bytes", null);
    }

    /// <summary>Makes the file's end the place where the response's body begins.</summary>
    private void Position(FileStream file, HttpResponseMessage response)
    {
        var length = response.Content.Headers.ContentLength;
        var range = response.Content.Headers.ContentRange;
        if (range?.Length is { } whole && whole != blob.Size)
            throw Invalid($"it has {whole} bytes instead of {blob.Size}");
        if (response.StatusCode == HttpStatusCode.OK)
        {
            if (length is not null && length != blob.Size)
                throw Invalid($"it has {length} bytes instead of {blob.Size}");
            if (_done > 0)
                Restart(file);
            return;
        }

        if (response.StatusCode == HttpStatusCode.PartialContent && range?.From == _done)
            return;
        Restart(file);
        throw new PassingFailureException($"{session.Host} does not continue {blob.Digest} where it is asked to", null);
    }

    private async Task<int> ReadAsync(Stream body, CancellationToken idle, CancellationToken cancellationToken)
    {
        try
        {
            return await body.ReadAsync(_chunk, idle).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"{session.Host} sent nothing for {options.IdleTimeout.TotalSeconds:0.#} s", e);
        }
        catch (IOException e)
        {
            throw new HttpRequestException(HttpRequestError.ResponseEnded, e.Message, e);
        }
    }

    private void Report()
    {
        if (progress is null || (_reportedAt != 0 && time.GetElapsedTime(_reportedAt) < ProgressInterval))
            return;
        _reportedAt = time.GetTimestamp();
        progress.Report(_done);
    }

    private CandelaException Invalid(string reason)
        => new(ErrorCode.ImageInvalid, $"{session.Host} sent a wrong {blob.Digest} of {session.Reference.Familiar}: {reason}");
}
