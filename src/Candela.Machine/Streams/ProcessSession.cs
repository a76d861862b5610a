using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Candela.Guest.Protocol.Host;
using Candela.Model;

namespace Candela.Machine.Streams;

/// <summary>One client attached to one process.</summary>
internal sealed class ProcessSession(bool tty, AttachOptions options, bool closesInput, Func<CancellationToken, IAsyncEnumerable<LogEntry>>? history) : IProcessSession
{
    private readonly Channel<Chunk> _chunks = Channel.CreateUnbounded<Chunk>(new UnboundedChannelOptions { SingleReader = true });
    private readonly TaskCompletionSource<IProcessInput> _input = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ProcessOutput? _output;
    private ulong _stdoutConsumed;
    private ulong _stderrConsumed;
    private int _inputClosed;
    private int _disposed;

    /// <inheritdoc/>
    public bool Tty => tty;

    /// <summary>Called when the session is disposed.</summary>
    public Action<ProcessSession>? Disposed { get; set; }

    /// <summary>Joins the process, now that it is there.</summary>
    public void Bind(ProcessOutput output, IProcessInput input)
    {
        _output = output;
        if (options.Stream)
            output.Attach(this);
        else
            Complete();
        _input.TrySetResult(input);
    }

    /// <summary>The session is to receive this stream.</summary>
    public bool Wants(OutputStream stream) => stream == OutputStream.Stdout ? options.Stdout : options.Stderr;

    /// <summary>How far the client has taken a stream.</summary>
    public ulong Consumed(OutputStream stream) => Volatile.Read(ref stream == OutputStream.Stdout ? ref _stdoutConsumed : ref _stderrConsumed);

    /// <summary>Start positions.</summary>
    public void SetConsumed(ulong stdout, ulong stderr)
    {
        _stdoutConsumed = stdout;
        _stderrConsumed = stderr;
    }

    /// <summary>More output; bounded by the guest's window.</summary>
    public void Enqueue(OutputStream stream, ReadOnlyMemory<byte> data, ulong end) => _chunks.Writer.TryWrite(new Chunk(stream, data, end));

    /// <summary>No more output will come.</summary>
    public void Complete()
    {
        _chunks.Writer.TryComplete();
        _input.TrySetCanceled();
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<OutputChunk> ReadOutputAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (history is not null)
        {
            await foreach (LogEntry entry in history(cancellationToken))
                yield return new OutputChunk(entry.IsStderr, entry.Line);
        }

        await foreach (Chunk chunk in _chunks.Reader.ReadAllAsync(cancellationToken))
        {
            yield return new OutputChunk(chunk.Stream == OutputStream.Stderr, chunk.Data);
            Volatile.Write(ref chunk.Stream == OutputStream.Stdout ? ref _stdoutConsumed : ref _stderrConsumed, chunk.End);
            _output?.Acknowledge();
        }
    }

    /// <inheritdoc/>
    public async ValueTask WriteInputAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        if (!options.Stdin || Volatile.Read(ref _inputClosed) != 0)
            return;
        try
        {
            IProcessInput input = await _input.Task.WaitAsync(cancellationToken);
            await input.WriteAsync(data, cancellationToken);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The process is gone: its input has nowhere to go, as with a closed pipe.
        }
    }

    /// <inheritdoc/>
    public async ValueTask CloseInputAsync(CancellationToken cancellationToken)
    {
        if (!options.Stdin || !closesInput || Interlocked.Exchange(ref _inputClosed, 1) != 0)
            return;
        try
        {
            IProcessInput input = await _input.Task.WaitAsync(cancellationToken);
            await input.CloseAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The process is gone.
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _output?.Detach(this);
        Disposed?.Invoke(this);
        if (_input.Task.IsCompletedSuccessfully)
            await CloseInputAsync(CancellationToken.None);
        Complete();
    }

    private readonly record struct Chunk(OutputStream Stream, ReadOnlyMemory<byte> Data, ulong End);
}

/// <summary>Standard input of a running process.</summary>
internal interface IProcessInput
{
    /// <summary>Sends; drops what a process that no longer reads cannot get.</summary>
    ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Ends it.</summary>
    ValueTask CloseAsync(CancellationToken cancellationToken);
}
