using System.Buffers;
using System.Formats.Asn1;

namespace Candela.Identity.Ldap.Server;

/// <summary>
/// What waits to be sent on a connection. Messages are appended whole, from any thread; one flush at a time sends all there is, so that
/// answers that are ready at once go out together.
/// </summary>
internal sealed class OutputQueue(TimeProvider time) : IDisposable
{
    private const int BufferBytes = 4096;

    private readonly Lock _gate = new();
    private byte[] _pending = [];
    private byte[] _sending = [];
    private int _length;
    private int _sendingLength;
    private Task _flushing = Task.CompletedTask;
    private bool _isClosed;
    private long _stalledSince;

    /// <summary>Where to; to be changed only while nothing is to be sent.</summary>
    public required Stream Stream { get; set; }

    /// <summary>Bytes that wait, or are being sent.</summary>
    public int UnsentBytes => Volatile.Read(ref _length) + Volatile.Read(ref _sendingLength);

    /// <summary>So much waits that those who write should wait, too.</summary>
    public bool IsFull => UnsentBytes > LdapLimits.UnsentBytes;

    /// <summary>For how long the client has not taken what is sent to it.</summary>
    public TimeSpan Stalled => Volatile.Read(ref _stalledSince) is not 0 and var since ? time.GetElapsedTime(since) : TimeSpan.Zero;

    /// <summary>Appends a message; after <see cref="Dispose"/> it is dropped.</summary>
    public void Append(AsnWriter message)
    {
        int length = message.GetEncodedLength();
        lock (_gate)
        {
            if (_isClosed)
                return;
            if (_pending.Length - _length < length)
                Grow(_length + length);
            message.Encode(_pending.AsSpan(_length));
            _length += length;
        }
    }

    /// <summary>Sends all there is; ends when what was there has been sent.</summary>
    public Task FlushAsync()
    {
        TaskCompletionSource begun;
        lock (_gate)
        {
            if (_length == 0 || !_flushing.IsCompleted)
                return _flushing;
            begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _flushing = begun.Task;
        }

        return SendAsync(begun);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_isClosed)
                return;
            _isClosed = true;
            _length = 0;
            Return(ref _pending);
            if (_flushing.IsCompleted)
                Return(ref _sending);
        }
    }

    private static void Return(ref byte[] buffer)
    {
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        buffer = [];
    }

    private void Grow(int length)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(length, Math.Max(BufferBytes, 2 * _pending.Length)));
        _pending.AsSpan(0, _length).CopyTo(larger);
        if (_pending.Length > 0)
            ArrayPool<byte>.Shared.Return(_pending);
        _pending = larger;
    }

    private async Task SendAsync(TaskCompletionSource begun)
    {
        try
        {
            while (true)
            {
                lock (_gate)
                {
                    if (_length == 0)
                    {
                        begun.SetResult();
                        if (_isClosed || _sending.Length > LdapLimits.UnsentBytes)
                            Return(ref _sending);
                        return;
                    }

                    (_pending, _sending, _sendingLength, _length) = (_sending, _pending, _length, 0);
                    Volatile.Write(ref _stalledSince, time.GetTimestamp());
                }

                await Stream.WriteAsync(_sending.AsMemory(0, _sendingLength));
                Volatile.Write(ref _sendingLength, 0);
                Volatile.Write(ref _stalledSince, 0);
            }
        }
        catch (Exception e)
        {
            // The connection is gone: those who wait learn of it by the same exception.
            Dispose();
            begun.TrySetException(e);
            throw;
        }
    }
}
