using System.Buffers;
using System.Text.Json;
using Candela.Controller.Api.Streams;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Docker.Streams;
using Candela.Images;
using Candela.Model;

namespace Candela.Docker.Images;

/// <summary>
/// Progress of a pull or load as a stream of JSON messages. Nothing is sent before the first message, so that an early failure
/// still gets its HTTP status; a later one becomes an error message in the stream.
/// </summary>
internal sealed class ProgressStream(DockerRequest request) : IProgress<ImageProgress>
{
    private readonly MessageRelay<ProgressMessage> _relay = new();

    public void Report(ImageProgress value) => _relay.Report(new ProgressMessage
    {
        Status = value.Status,
        Id = value.Id,
        Progress = value.Id is null ? null : new ProgressDetail(value.Current, value.Total),
    });

    public void Say(ProgressMessage message) => _relay.Report(message);

    /// <summary>Runs the work and sends what it reports.</summary>
    /// <param name="work">The work; may report and <see cref="Say"/>.</param>
    /// <param name="translate">Words a failure.</param>
    public async Task RunAsync(Func<Task> work, Func<CandelaException, DockerException> translate)
    {
        try
        {
            await _relay.RunAsync(work, SendAsync);
        }
        catch (Exception e) when (request.Http.Response.HasStarted && e is CandelaException or DockerException)
        {
            var text = e is CandelaException candela ? translate(candela).Message : e.Message;
            await SendAsync(new ProgressMessage { ErrorDetail = new ProgressError(text), Error = text }, isLast: true);
        }
        catch (CandelaException e)
        {
            throw translate(e);
        }
    }

    private async Task SendAsync(ProgressMessage message, bool isLast)
    {
        if (request.Aborted.IsCancellationRequested)
            return;
        if (!request.Http.Response.HasStarted)
            await request.StartStreamAsync(MediaTypes.Json);
        var writer = request.Http.Response.BodyWriter;
        using (var json = new Utf8JsonWriter(writer, DockerJson.WriterOptions))
            JsonSerializer.Serialize(json, message, DockerJson.Default.ProgressMessage);
        writer.Write("\r\n"u8);
        if (isLast)
            await writer.FlushAsync(request.Aborted);
    }
}
