using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Candela.Controller.Transport;

/// <summary>
/// One connection. When the peer closes its writing side the input completes and nothing else happens: what is being written still
/// arrives. <see cref="ConnectionClosed"/> fires only when the peer has gone or sending failed.
/// </summary>
internal sealed partial class UnixSocketConnection : ConnectionContext,
    IConnectionIdFeature, IConnectionTransportFeature, IConnectionItemsFeature, IConnectionLifetimeFeature,
    IConnectionEndPointFeature, IConnectionTakeoverFeature
{
    private const int SegmentBytes = 16 * 1024;
    private const int ReceiveBytes = 32 * 1024;

    private static long _lastId;

    private readonly Socket _socket;
    private readonly ILogger _logger;
    private readonly FeatureCollection _features = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly TakeoverReader _serverReader;
    private readonly TakeoverWriter _serverWriter;
    private readonly RawPipe _raw;
    private ulong _watch;
    private Task _receiving = Task.CompletedTask;
    private Task _sending = Task.CompletedTask;
    private Exception? _abortReason;
    private volatile bool _hungUp;
    private volatile bool _receiveWaits;
    private int _takenOver;
    private int _closedFired;
    private int _disposed;

    public UnixSocketConnection(Socket socket, EndPoint endPoint, UnixSocketOptions options, ILogger logger)
    {
        _socket = socket;
        _logger = logger;
        LocalEndPoint = endPoint;
        ConnectionId = $"unix-{Interlocked.Increment(ref _lastId)}";
        ConnectionClosed = _closed.Token;
        // The application reads on the thread pool, so that it cannot hold up the receiving; it sends on its own thread, which
        // saves a hop on the way to the client.
        _input = new Pipe(new PipeOptions(
            readerScheduler: PipeScheduler.ThreadPool, writerScheduler: PipeScheduler.ThreadPool, useSynchronizationContext: false,
            pauseWriterThreshold: options.InputPauseBytes, resumeWriterThreshold: options.InputPauseBytes / 2, minimumSegmentSize: SegmentBytes));
        _output = new Pipe(new PipeOptions(
            readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.ThreadPool, useSynchronizationContext: false,
            pauseWriterThreshold: options.OutputPauseBytes, resumeWriterThreshold: options.OutputPauseBytes / 2, minimumSegmentSize: SegmentBytes));
        _serverReader = new TakeoverReader(_input.Reader);
        _serverWriter = new TakeoverWriter(_output.Writer);
        _raw = new RawPipe(_input.Reader, _output.Writer);
        Transport = new RawPipe(_serverReader, _serverWriter);

        _features.Set<IConnectionIdFeature>(this);
        _features.Set<IConnectionTransportFeature>(this);
        _features.Set<IConnectionItemsFeature>(this);
        _features.Set<IConnectionLifetimeFeature>(this);
        _features.Set<IConnectionEndPointFeature>(this);
        _features.Set<IConnectionTakeoverFeature>(this);
        _features.Set<IPeerCredentialFeature>(PeerCredential.Of(socket));
    }

    public override string ConnectionId { get; set; }

    public override IFeatureCollection Features => _features;

    public override IDictionary<object, object?> Items { get => field ??= new ConnectionItems(); set; }

    public override IDuplexPipe Transport { get; set; }

    public override CancellationToken ConnectionClosed { get; set; }

    public override EndPoint? LocalEndPoint { get; set; }

    public override EndPoint? RemoteEndPoint { get; set; }

    public void Start()
    {
        _watch = HangupWatch.Shared.Add(_socket.SafeHandle, OnHangup);
        _receiving = ReceiveAsync();
        _sending = SendAsync();
    }

    public IDuplexPipe TakeOver()
    {
        if (Interlocked.Exchange(ref _takenOver, 1) != 0)
            throw new InvalidOperationException("The connection has been taken over already.");
        _serverReader.Take();
        _serverWriter.Take();
        return _raw;
    }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        _abortReason ??= abortReason;
        ShutDown(SocketShutdown.Both);
        _output.Reader.CancelPendingRead();
        FireClosed();
    }

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            await base.DisposeAsync();
            return;
        }

        // Input first: it lets a receive that waits for room go on and see that nobody reads any more.
        await _input.Reader.CompleteAsync();
        await _output.Writer.CompleteAsync();
        await _sending;
        ShutDown(SocketShutdown.Both);
        await _receiving;
        FireClosed();
        HangupWatch.Shared.Remove(_socket.SafeHandle, _watch);
        _socket.Dispose();
        _closed.Dispose();
        await base.DisposeAsync();
    }

    private async Task ReceiveAsync()
    {
        Exception? error = null;
        try
        {
            while (true)
            {
                var count = await _socket.ReceiveAsync(_input.Writer.GetMemory(ReceiveBytes), SocketFlags.None);
                if (count == 0)
                    break;
                _input.Writer.Advance(count);
                var flush = _input.Writer.FlushAsync();
                if (!flush.IsCompleted)
                    WaitsForRoom(true);
                var result = await flush;
                WaitsForRoom(false);
                if (result.IsCompleted || result.IsCanceled)
                    break;
            }
        }
        catch (SocketException e)
        {
            error = new ConnectionResetException(e.Message, e);
        }
        catch (ObjectDisposedException)
        {
            error = _abortReason;
        }

        await _input.Writer.CompleteAsync(error ?? _abortReason);
        WaitsForRoom(true);
    }

    /// <summary>A peer that has gone is reported once what it had sent has been received, or cannot be received for now.</summary>
    private void WaitsForRoom(bool waits)
    {
        _receiveWaits = waits;
        Interlocked.MemoryBarrier();
        if (waits && _hungUp)
            FireClosed();
    }

    private void OnHangup()
    {
        _hungUp = true;
        Interlocked.MemoryBarrier();
        if (_receiveWaits)
            ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.FireClosed(), this, preferLocal: false);
    }

    private async Task SendAsync()
    {
        Exception? error = null;
        List<ArraySegment<byte>>? gathered = null;
        try
        {
            while (true)
            {
                var result = await _output.Reader.ReadAsync();
                if (result.IsCanceled)
                    break;
                var buffer = result.Buffer;
                if (buffer.IsSingleSegment)
                    await SendAllAsync(buffer.First);
                else
                    await SendGatheredAsync(buffer, gathered ??= []);
                _output.Reader.AdvanceTo(buffer.End);
                if (result.IsCompleted)
                    break;
            }

            ShutDown(SocketShutdown.Send);
        }
        catch (SocketException e)
        {
            error = new ConnectionResetException(e.Message, e);
            Log.SendFailed(_logger, ConnectionId, e.SocketErrorCode);
        }
        catch (ObjectDisposedException)
        {
            error = _abortReason;
        }

        await _output.Reader.CompleteAsync(error ?? _abortReason);
        if (error is not null)
            FireClosed();
    }

    private async ValueTask SendAllAsync(ReadOnlyMemory<byte> memory)
    {
        while (!memory.IsEmpty)
            memory = memory[await _socket.SendAsync(memory, SocketFlags.None)..];
    }

    private async ValueTask SendGatheredAsync(ReadOnlySequence<byte> buffer, List<ArraySegment<byte>> gathered)
    {
        gathered.Clear();
        var position = buffer.Start;
        while (buffer.TryGet(ref position, out var memory))
        {
            if (!System.Runtime.InteropServices.MemoryMarshal.TryGetArray(memory, out var segment))
                throw new InvalidOperationException("The memory pool gives memory without an array.");
            if (segment.Count > 0)
                gathered.Add(segment);
        }

        var sent = await _socket.SendAsync(gathered, SocketFlags.None);
        if (sent < buffer.Length)
        {
            foreach (var memory in buffer.Slice(sent))
                await SendAllAsync(memory);
        }
    }

    private void ShutDown(SocketShutdown how)
    {
        try
        {
            _socket.Shutdown(how);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Gone already: that is what was wanted.
        }
    }

    private void FireClosed()
    {
        if (Interlocked.Exchange(ref _closedFired, 1) != 0)
            return;
        try
        {
            _closed.Cancel();
        }
        catch (AggregateException e)
        {
            Log.CallbackFailed(_logger, e, ConnectionId);
        }
    }

    private sealed record RawPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private static partial class Log
    {
        [LoggerMessage(10, LogLevel.Debug, "{ConnectionId}: sending ended: {Error}")]
        public static partial void SendFailed(ILogger logger, string connectionId, SocketError error);

        [LoggerMessage(11, LogLevel.Error, "{ConnectionId}: an action on the end of the connection failed")]
        public static partial void CallbackFailed(ILogger logger, Exception exception, string connectionId);
    }
}
