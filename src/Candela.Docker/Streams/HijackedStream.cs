using System.IO.Pipelines;
using System.Text;
using Candela.Controller.Transport;
using Candela.Docker.Http;
using Candela.Model;
using Microsoft.AspNetCore.Connections.Features;

namespace Candela.Docker.Streams;

/// <summary>A connection that has left HTTP: what attach and exec become (Engine API, "Hijacking" of container attach).</summary>
internal sealed class HijackedStream
{
    private readonly IDuplexPipe _pipe;
    private readonly bool _multiplexed;
    private readonly CancellationToken _gone;
    private readonly CancellationToken _stopping;

    private HijackedStream(IDuplexPipe pipe, bool multiplexed, CancellationToken gone, CancellationToken stopping) =>
        (_pipe, _multiplexed, _gone, _stopping) = (pipe, multiplexed, gone, stopping);

    /// <summary>
    /// Takes the connection over and writes the head: 101 when the client asked for an upgrade, else 200 as old clients expect.
    /// The request's body must have been read.
    /// </summary>
    public static async Task<HijackedStream> OpenAsync(DockerRequest request, bool tty)
    {
        var features = request.Http.Features;
        var takeover = features.Get<IConnectionTakeoverFeature>()
            ?? throw new DockerException(500, "this connection cannot be taken over: the endpoint must be served by AddHalfOpenUnixSockets()");
        var upgrade = request.Http.Request.Headers.Upgrade.Count > 0;
        var head = new StringBuilder(256);
        var multiplexed = !tty && request.Version.AtLeast(42) && upgrade;
        head.Append(upgrade ? "HTTP/1.1 101 UPGRADED\r\n" : "HTTP/1.1 200 OK\r\n");
        head.Append("Content-Type: ").Append(multiplexed ? MediaTypes.Multiplexed : MediaTypes.Raw).Append("\r\n");
        if (upgrade)
            head.Append("Connection: Upgrade\r\nUpgrade: tcp\r\n");
        foreach (var name in (string[])["Api-Version", "Docker-Experimental", "Ostype", "Server"])
            head.Append(name).Append(": ").Append(request.Http.Response.Headers[name]).Append("\r\n");
        head.Append("\r\n");
        var gone = features.Get<IConnectionLifetimeFeature>()?.ConnectionClosed ?? request.Aborted;
        var pipe = takeover.TakeOver();
        await pipe.Output.WriteAsync(Encoding.ASCII.GetBytes(head.ToString()), gone);
        return new HijackedStream(pipe, !tty, gone, request.Services.Stopping);
    }

    /// <summary>A last word on standard output.</summary>
    public async Task WriteTextAsync(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (_multiplexed)
            Stdcopy.WriteHeader(_pipe.Output, isStderr: false, bytes.Length);
        await _pipe.Output.WriteAsync(bytes, _gone);
        await _pipe.Output.CompleteAsync();
    }

    /// <summary>
    /// Carries data both ways until the process's output has ended, the client has left, or it has typed the detach keys.
    /// </summary>
    /// <param name="session">The process.</param>
    /// <param name="input">Feed the client's data to it.</param>
    /// <param name="closeInput">The end of the client's data ends the process's input; otherwise it ends the stream, as dockerd does.</param>
    /// <param name="detach">Key sequence to look for, or null.</param>
    public async Task RelayAsync(IProcessSession session, bool input, bool closeInput, DetachKeys? detach)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_gone, _stopping);
        var outward = SendOutputAsync(session, over.Token);
        var inward = input ? ReceiveInputAsync(session, detach, over.Token) : Task.FromResult(false);
        try
        {
            if (input && await Task.WhenAny(outward, inward) == inward)
            {
                var detached = await inward;
                if (!detached && closeInput)
                    await session.CloseInputAsync(over.Token);
                else
                    await over.CancelAsync();
            }

            await outward;
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // The client left, or the daemon stops: the process goes on.
        }
        finally
        {
            await over.CancelAsync();
            _pipe.Input.CancelPendingRead();
            await ObserveAsync(inward);
            await ObserveAsync(outward);
            await _pipe.Output.CompleteAsync();
        }
    }

    private async Task SendOutputAsync(IProcessSession session, CancellationToken cancellationToken)
    {
        await foreach (var chunk in session.ReadOutputAsync(cancellationToken))
        {
            if (_multiplexed)
                Stdcopy.WriteHeader(_pipe.Output, chunk.IsStderr, chunk.Data.Length);
            var flush = await _pipe.Output.WriteAsync(chunk.Data, cancellationToken);
            if (flush.IsCompleted)
                break; // the client has gone
        }
    }

    /// <returns>True when the detach keys were typed, false at the end of the client's data.</returns>
    private async Task<bool> ReceiveInputAsync(IProcessSession session, DetachKeys? detach, CancellationToken cancellationToken)
    {
        var passed = detach is null ? null : new List<byte>();
        while (true)
        {
            var result = await _pipe.Input.ReadAsync(cancellationToken);
            if (result.IsCanceled)
                return false;
            foreach (var memory in result.Buffer)
            {
                if (detach is null || passed is null)
                {
                    await session.WriteInputAsync(memory, cancellationToken);
                    continue;
                }

                passed.Clear();
                var leave = detach.Filter(memory.Span, passed);
                if (passed.Count > 0)
                    await session.WriteInputAsync(passed.ToArray(), cancellationToken);
                if (leave)
                {
                    _pipe.Input.AdvanceTo(result.Buffer.End);
                    return true;
                }
            }

            _pipe.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
                return false;
        }
    }

    private static async Task ObserveAsync(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception e) when (e is OperationCanceledException or Microsoft.AspNetCore.Connections.ConnectionAbortedException or IOException)
        {
            // The other side has gone; that is how such a stream ends.
        }
    }
}
