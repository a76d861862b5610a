using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Candela.Guest.Protocol.Host;

/// <summary>The agent channel over a byte stream, normally the socket of a micro-VM's virtio-serial port.</summary>
public sealed partial class AgentConnection : IAgent
{
    private static readonly TimeSpan RequestDeadline = TimeSpan.FromSeconds(30);

    private readonly Stream _stream;
    private readonly IAgentEvents _events;
    private readonly FrameOutput _output;
    private readonly FrameInput _input;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<uint, PendingRequest> _pending = new();
    private readonly ConcurrentDictionary<uint, Credit> _inputCredits = new();
    private readonly ConcurrentDictionary<(uint Process, OutputStream Stream), ulong> _acknowledgements = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Exception? _failure;
    private int _acknowledging;
    private int _lastRequest;

    private AgentConnection(Stream stream, IAgentEvents events, TimeProvider time)
    {
        _stream = stream;
        _events = events;
        _time = time;
        _output = new FrameOutput(stream);
        _input = new FrameInput(stream);
    }

    /// <inheritdoc/>
    public Task Closed => _closed.Task;

    /// <summary>
    /// Greets the agent at the other end. <paramref name="mayBeTorn"/>: an earlier connection may have been cut off within a frame;
    /// without it the very first connection saves the bytes that would complete such a frame.
    /// The stream belongs to the connection from here on, also when this fails.
    /// </summary>
    /// <exception cref="TimeoutException">The guest did not answer in time.</exception>
    /// <exception cref="AgentProtocolException">The guest speaks another version, or nonsense.</exception>
    public static Task<AgentConnection> ConnectAsync(Stream stream, IAgentEvents events, bool mayBeTorn, CancellationToken ct) =>
        ConnectAsync(stream, events, mayBeTorn, RequestDeadline, TimeProvider.System, ct);

    /// <summary>The same with a deadline of the caller's.</summary>
    /// <exception cref="TimeoutException">The guest did not answer in time.</exception>
    /// <exception cref="AgentProtocolException">The guest speaks another version, or nonsense.</exception>
    public static async Task<AgentConnection> ConnectAsync(
        Stream stream, IAgentEvents events, bool mayBeTorn, TimeSpan deadline, TimeProvider time, CancellationToken ct)
    {
        var connection = new AgentConnection(stream, events, time);
        try
        {
            using var timeout = new CancellationTokenSource(deadline, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, ct);
            try
            {
                await connection.GreetAsync(mayBeTorn, either.Token);
            }
            catch (OperationCanceledException) when (timeout.IsCancellationRequested && !ct.IsCancellationRequested)
            {
                throw new TimeoutException($"The guest did not answer within {deadline.TotalSeconds} s.");
            }
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
        _ = connection.ReadLoopAsync();
        return connection;
    }

    private async Task GreetAsync(bool mayBeTorn, CancellationToken cancellationToken)
    {
        var nonce = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8));
        if (mayBeTorn)
            await _output.SendFillingAsync(cancellationToken);
        var version = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(version, ProtocolLimits.Version);
        await _output.SendAsync(new FrameHeader(FrameType.Hello, 0, 0, 0, 0, nonce), version, cancellationToken).WaitAsync(cancellationToken);

        // What an earlier connection did not read may still come: everything up to our own nonce is not for us.
        var expected = new byte[FrameHeader.SizeBytes + 3];
        new FrameHeader(FrameType.HelloReply, 0, 2, 0, 0, nonce).Write(expected);
        await _input.SkipToAsync(expected.AsMemory(0, FrameHeader.SizeBytes), cancellationToken);
        var (header, payload) = await _input.NextAsync(cancellationToken);
        if (header.Type != FrameType.HelloReply || BinaryPrimitives.ReadUInt16LittleEndian(payload.Span) != ProtocolLimits.Version)
            throw new AgentProtocolException($"The guest does not speak version {ProtocolLimits.Version} of the agent protocol.");
    }

    private async Task ReadLoopAsync()
    {
        try
        {
            while (true)
            {
                var (header, payload) = await _input.NextAsync(CancellationToken.None);
                await HandleAsync(header, payload);
            }
        }
        catch (MalformedMessageException broken)
        {
            Close(new AgentProtocolException(broken.Message));
        }
        catch (Exception failure)
        {
            Close(failure);
        }
    }

    private void Close(Exception reason)
    {
        reason = reason is AgentProtocolException ? reason : new IOException("The agent channel is closed.", reason);
        Interlocked.CompareExchange(ref _failure, reason, null);
        _stream.Dispose();
        foreach (var request in _pending.Values)
            request.Fail(_failure);
        foreach (var credit in _inputCredits.Values)
            credit.End(_failure);
        foreach (var number in _connections.Keys)
        {
            if (_connections.TryRemove(number, out var connection))
                connection.End(_failure);
        }
        _closed.TrySetResult();
    }

    private void ThrowIfClosed()
    {
        switch (Volatile.Read(ref _failure))
        {
            case null:
                return;
            case AgentProtocolException broken:
                throw new AgentProtocolException(broken.Message);
            case var failure:
                throw new IOException(failure.Message, failure);
        }
    }

    private PendingRequest Begin(PendingRequest request, out uint number)
    {
        ThrowIfClosed();
        if (_pending.Count >= ProtocolLimits.PendingRequests)
            throw new AgentException(AgentError.LimitExceeded, $"More than {ProtocolLimits.PendingRequests} requests are under way in this guest.");
        do
            number = (uint)Interlocked.Increment(ref _lastRequest);
        while (number == 0 || !_pending.TryAdd(number, request));
        if (Volatile.Read(ref _failure) is { } failure)
            request.Fail(failure);
        return request;
    }

    private async Task SendAsync(FrameHeader header, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        try
        {
            await _output.SendAsync(header, payload, cancellationToken);
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
            Close(failure);
            ThrowIfClosed();
        }
    }

    private async Task<byte[]> RequestAsync(
        FrameType type, uint process, ulong position, byte flags, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var request = Begin(new PendingRequest(), out var number);
        try
        {
            using var timeout = new CancellationTokenSource(RequestDeadline, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            try
            {
                await SendAsync(new FrameHeader(type, flags, 0, process, number, position), payload, either.Token).WaitAsync(either.Token);
                return await request.Reply.WaitAsync(either.Token);
            }
            catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"The guest did not answer within {RequestDeadline.TotalSeconds} s.");
            }
        }
        finally
        {
            _pending.TryRemove(number, out _);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Close(new ObjectDisposedException(nameof(AgentConnection)));
        return ValueTask.CompletedTask;
    }
}
