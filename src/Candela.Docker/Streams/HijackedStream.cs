using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Candela.Controller.Api.Streams;
using Candela.Docker.Http;
using Candela.Model;

namespace Candela.Docker.Streams;

/// <summary>A connection that has left HTTP: what attach and exec become (Engine API, "Hijacking" of container attach).</summary>
internal sealed class HijackedStream
{
    private readonly TakenConnection _connection;
    private readonly bool _multiplexed;
    private readonly CancellationToken _stopping;

    private HijackedStream(TakenConnection connection, bool multiplexed, CancellationToken stopping) =>
        (_connection, _multiplexed, _stopping) = (connection, multiplexed, stopping);

    /// <summary>
    /// Takes the connection over and writes the head: 101 when the client asked for an upgrade, else 200 as old clients expect.
    /// The request's body must have been read.
    /// </summary>
    public static async Task<HijackedStream> OpenAsync(DockerRequest request, bool tty)
    {
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
        var connection = await TakenConnection.OpenAsync(request.Http, Encoding.ASCII.GetBytes(head.ToString()));
        return new HijackedStream(connection, !tty, request.Services.Stopping);
    }

    /// <summary>A last word on standard output.</summary>
    public async Task WriteTextAsync(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (_multiplexed)
            Stdcopy.WriteHeader(_connection.Output, isStderr: false, bytes.Length);
        await _connection.Output.WriteAsync(bytes, _connection.Gone);
        await _connection.CompleteAsync();
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
        try
        {
            await _connection.RelayAsync(session, new Framing(_multiplexed, detach), input, closeInput ? InputEnd.Close : InputEnd.Detach, _stopping);
        }
        finally
        {
            await _connection.CompleteAsync();
        }
    }

    /// <summary>Output multiplexed or as it is, input as it is but for the detach keys.</summary>
    private sealed class Framing(bool multiplexed, DetachKeys? detach) : IStreamFraming
    {
        private readonly List<byte> _passed = [];

        public void WriteOutput(PipeWriter output, OutputChunk chunk)
        {
            if (multiplexed)
                Stdcopy.WriteHeader(output, chunk.IsStderr, chunk.Data.Length);
            output.Write(chunk.Data.Span);
        }

        public async ValueTask<InputEnd> ReceiveAsync(ReadOnlyMemory<byte> data, IProcessSession session, CancellationToken cancellationToken)
        {
            if (detach is null)
            {
                await session.WriteInputAsync(data, cancellationToken);
                return InputEnd.None;
            }

            _passed.Clear();
            var leave = detach.Filter(data.Span, _passed);
            if (_passed.Count > 0)
                await session.WriteInputAsync(_passed.ToArray(), cancellationToken);
            return leave ? InputEnd.Detach : InputEnd.None;
        }
    }
}
