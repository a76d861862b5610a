using System.Buffers;
using System.Text;
using System.Text.Json;
using Candela.Build;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Docker.Streams;

namespace Candela.Docker.Images;

/// <summary>What a build tells, as JSON messages; a slow client slows the build down. Quiet, it is kept and sent with a failure only.</summary>
internal sealed class BuildStream(DockerRequest request, bool quiet) : IBuildOutput, IAsyncDisposable
{
    private const int KeptCharacters = 1 << 20;

    private readonly SemaphoreSlim _gate = new(1);
    private readonly StringBuilder _kept = new();

    public async ValueTask WriteAsync(string text, CancellationToken cancellationToken)
    {
        if (!quiet)
            await SendAsync(new ProgressMessage { Stream = text }, cancellationToken);
        else if (_kept.Length + text.Length <= KeptCharacters)
            _kept.Append(text);
    }

    /// <summary>Tells why the build failed.</summary>
    /// <param name="message">Why.</param>
    /// <param name="code">Exit code of the command that failed, which becomes the client's; null: none has.</param>
    /// <param name="cancellationToken">The client has gone.</param>
    public async Task FailAsync(string message, int? code, CancellationToken cancellationToken)
    {
        if (_kept.Length > 0)
            await SendAsync(new ProgressMessage { Stream = _kept.ToString() }, cancellationToken);
        await SendAsync(new ProgressMessage { ErrorDetail = new ProgressError(message) { Code = code }, Error = message }, cancellationToken);
    }

    public async Task SendAsync(ProgressMessage message, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (!request.Http.Response.HasStarted)
                await request.StartStreamAsync(MediaTypes.Json);
            var writer = request.Http.Response.BodyWriter;
            using (var json = new Utf8JsonWriter(writer, DockerJson.WriterOptions))
                JsonSerializer.Serialize(json, message, DockerJson.Default.ProgressMessage);
            writer.Write("\r\n"u8);
            await writer.FlushAsync(cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    public ValueTask DisposeAsync()
    {
        _gate.Dispose();
        return ValueTask.CompletedTask;
    }
}
