using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
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
    private const int MessagesMaximum = 1024;

    private readonly Channel<ProgressMessage> _messages = Channel.CreateBounded<ProgressMessage>(
        new BoundedChannelOptions(MessagesMaximum) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });

    public void Report(ImageProgress value) => _messages.Writer.TryWrite(new ProgressMessage
    {
        Status = value.Status,
        Id = value.Id,
        Progress = value.Id is null ? null : new ProgressDetail(value.Current, value.Total),
    });

    public void Say(ProgressMessage message) => _messages.Writer.TryWrite(message);

    /// <summary>Runs the work and sends what it reports.</summary>
    /// <param name="work">The work; may report and <see cref="Say"/>.</param>
    /// <param name="translate">Words a failure.</param>
    public async Task RunAsync(Func<Task> work, Func<CandelaException, DockerException> translate)
    {
        var working = WorkAsync();
        var started = false;
        await foreach (var message in _messages.Reader.ReadAllAsync(CancellationToken.None))
        {
            if (!started)
            {
                await request.StartStreamAsync(MediaTypes.Json);
                started = true;
            }

            if (!request.Aborted.IsCancellationRequested)
                await WriteAsync(message);
        }

        try
        {
            await working;
        }
        catch (Exception e) when (started && e is CandelaException or DockerException)
        {
            var text = e is CandelaException candela ? translate(candela).Message : e.Message;
            await WriteAsync(new ProgressMessage { ErrorDetail = new ProgressError(text), Error = text });
        }
        catch (CandelaException e)
        {
            throw translate(e);
        }

        async Task WorkAsync()
        {
            try
            {
                await work();
            }
            finally
            {
                _messages.Writer.Complete();
            }
        }
    }

    private async Task WriteAsync(ProgressMessage message)
    {
        var writer = request.Http.Response.BodyWriter;
        using (var json = new Utf8JsonWriter(writer, DockerJson.WriterOptions))
            JsonSerializer.Serialize(json, message, DockerJson.Default.ProgressMessage);
        writer.Write("\r\n"u8);
        await writer.FlushAsync(request.Aborted);
    }
}
