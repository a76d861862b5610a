using System.IO.Pipelines;
using Candela.Controller.Transport;
using Candela.Model;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Candela.Controller.Api.Streams;

/// <summary>How a process's output and a client's input look on a connection that has left HTTP.</summary>
public interface IStreamFraming
{
    /// <summary>Puts a piece of output into the buffer.</summary>
    void WriteOutput(PipeWriter output, OutputChunk chunk);

    /// <summary>Takes the client's bytes.</summary>
    /// <returns>What the client has decided, if anything.</returns>
    ValueTask<InputEnd> ReceiveAsync(ReadOnlyMemory<byte> data, IProcessSession session, CancellationToken cancellationToken);
}

/// <summary>How a client's input goes on.</summary>
public enum InputEnd
{
    /// <summary>There may be more.</summary>
    None,

    /// <summary>The process's input is to end.</summary>
    Close,

    /// <summary>The client leaves; the process keeps its input.</summary>
    Detach,
}

/// <summary>A connection that has left HTTP to carry a process's streams; what attach and exec become.</summary>
public sealed class TakenConnection
{
    private readonly IDuplexPipe _pipe;
    private readonly CancellationToken _gone;

    private TakenConnection(IDuplexPipe pipe, CancellationToken gone) => (_pipe, _gone) = (pipe, gone);

    /// <summary>Where to write; not while <see cref="RelayAsync"/> runs.</summary>
    public PipeWriter Output => _pipe.Output;

    /// <summary>The client has gone.</summary>
    public CancellationToken Gone => _gone;

    /// <summary>Takes the connection over and writes the head of the answer. The request's body must have been read.</summary>
    /// <exception cref="CandelaException">Internal: the connection does not come from <see cref="HalfOpenUnixSockets"/>.</exception>
    public static async Task<TakenConnection> OpenAsync(HttpContext context, ReadOnlyMemory<byte> head)
    {
        ArgumentNullException.ThrowIfNull(context);
        var takeover = context.Features.Get<IConnectionTakeoverFeature>()
            ?? throw new CandelaException(ErrorCode.Internal, "this connection cannot be taken over: the endpoint must be served by AddHalfOpenUnixSockets()");
        var gone = context.Features.Get<IConnectionLifetimeFeature>()?.ConnectionClosed ?? context.RequestAborted;
        var pipe = takeover.TakeOver();
        await pipe.Output.WriteAsync(head, gone);
        return new TakenConnection(pipe, gone);
    }

    /// <summary>Carries data both ways until the process's output has ended or the client has left.</summary>
    /// <param name="session">The process.</param>
    /// <param name="framing">How data look on the connection.</param>
    /// <param name="receive">Read what the client sends.</param>
    /// <param name="atEnd">What the end of the client's data means; <see cref="InputEnd.None"/>: nothing, output goes on.</param>
    /// <param name="stopping">Ends the stream; the process goes on.</param>
    /// <returns>True when the output was sent to its end.</returns>
    public async Task<bool> RelayAsync(IProcessSession session, IStreamFraming framing, bool receive, InputEnd atEnd, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(framing);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_gone, stopping);
        var outward = SendOutputAsync(session, framing, over.Token);
        var inward = receive ? ReceiveInputAsync(session, framing, atEnd, over.Token) : Task.FromResult(InputEnd.None);
        try
        {
            if (receive && await Task.WhenAny(outward, inward) == inward && await inward == InputEnd.Detach)
                await over.CancelAsync();
            return await outward;
        }
        catch (Exception e) when (over.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            return false; // the client left, or the daemon stops: the process goes on
        }
        finally
        {
            await over.CancelAsync();
            _pipe.Input.CancelPendingRead();
            await ObserveAsync(inward);
            await ObserveAsync(outward);
        }
    }

    /// <summary>Sends what was written and closes our side.</summary>
    public ValueTask CompleteAsync() => _pipe.Output.CompleteAsync();

    private async Task<bool> SendOutputAsync(IProcessSession session, IStreamFraming framing, CancellationToken cancellationToken)
    {
        await foreach (var chunk in session.ReadOutputAsync(cancellationToken))
        {
            framing.WriteOutput(_pipe.Output, chunk);
            if ((await _pipe.Output.FlushAsync(cancellationToken)).IsCompleted)
                return false; // the client has gone
        }

        return true;
    }

    private async Task<InputEnd> ReceiveInputAsync(IProcessSession session, IStreamFraming framing, InputEnd atEnd, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await _pipe.Input.ReadAsync(cancellationToken);
            if (result.IsCanceled)
                return InputEnd.None;
            foreach (var memory in result.Buffer)
            {
                var end = await framing.ReceiveAsync(memory, session, cancellationToken);
                if (end == InputEnd.Close)
                    await session.CloseInputAsync(cancellationToken);
                if (end == InputEnd.Detach)
                {
                    _pipe.Input.AdvanceTo(result.Buffer.End);
                    return end;
                }
            }

            _pipe.Input.AdvanceTo(result.Buffer.End);
            if (!result.IsCompleted)
                continue;
            if (atEnd == InputEnd.Close)
                await session.CloseInputAsync(cancellationToken);
            return atEnd;
        }
    }

    private static async Task ObserveAsync(Task task)
    {
        await Task.WhenAny(task);
        _ = task.Exception; // what counted has been thrown already
    }
}
