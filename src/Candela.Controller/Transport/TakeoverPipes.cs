using System.Buffers;
using System.IO.Pipelines;

namespace Candela.Controller.Transport;

/// <summary>What the server reads from: the connection's input until it is taken over, then an ended one.</summary>
internal sealed class TakeoverReader(PipeReader inner) : PipeReader
{
    private volatile bool _taken;
    private long _lengthAtEnd = -1;

    public void Take() => _taken = true;

    public override bool TryRead(out ReadResult result)
    {
        if (_taken)
        {
            result = Ended;
            return true;
        }

        if (!inner.TryRead(out result))
            return false;
        result = DelayEnd(result);
        return true;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (_taken)
            return new(Ended);
        var reading = inner.ReadAsync(cancellationToken);
        return reading.IsCompletedSuccessfully ? new(DelayEnd(reading.Result)) : WaitAsync(reading);
    }

    public override void AdvanceTo(SequencePosition consumed)
    {
        if (!_taken)
            inner.AdvanceTo(consumed);
    }

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (!_taken)
            inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead()
    {
        if (!_taken)
            inner.CancelPendingRead();
    }

    public override void Complete(Exception? exception = null)
    {
        if (!_taken)
            inner.Complete(exception);
    }

    private async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> reading) => DelayEnd(await reading);

    /// <summary>
    /// Kestrel aborts a request when its input ends in the very read that brings the last bytes of the body. So the end is told
    /// only by a read that brings nothing new.
    /// </summary>
    private ReadResult DelayEnd(ReadResult result)
    {
        if (!result.IsCompleted || result.IsCanceled || result.Buffer.IsEmpty)
            return result;
        var length = result.Buffer.Length;
        if (length == _lengthAtEnd)
            return result;
        _lengthAtEnd = length;
        return new ReadResult(result.Buffer, isCanceled: false, isCompleted: false);
    }

    private static ReadResult Ended => new(ReadOnlySequence<byte>.Empty, isCanceled: false, isCompleted: true);
}

/// <summary>
/// What the server writes to: the connection's output until it is taken over, then nowhere. It must not look ended then: the server
/// would abort the connection, and with it what its new owner still sends.
/// </summary>
internal sealed class TakeoverWriter(PipeWriter inner) : PipeWriter
{
    private volatile bool _taken;
    private byte[]? _sink;

    public void Take() => _taken = true;

    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => _taken ? 0 : inner.UnflushedBytes;

    public override Memory<byte> GetMemory(int sizeHint = 0) => _taken ? Sink(sizeHint) : inner.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _taken ? Sink(sizeHint) : inner.GetSpan(sizeHint);

    public override void Advance(int bytes)
    {
        if (!_taken)
            inner.Advance(bytes);
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        _taken ? new(default(FlushResult)) : inner.FlushAsync(cancellationToken);

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
        _taken ? new(default(FlushResult)) : inner.WriteAsync(source, cancellationToken);

    public override void CancelPendingFlush()
    {
        if (!_taken)
            inner.CancelPendingFlush();
    }

    public override void Complete(Exception? exception = null)
    {
        if (!_taken)
            inner.Complete(exception);
    }

    private byte[] Sink(int sizeHint)
    {
        if (_sink is null || _sink.Length < sizeHint)
            _sink = new byte[Math.Max(sizeHint, 4096)];
        return _sink;
    }
}
