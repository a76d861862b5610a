using Candela.Controller.Api.Http;
using Candela.Controller.Api.Streams;
using Candela.Controller.Api.Tasks;
using Candela.Images;
using Candela.Model;
using Microsoft.AspNetCore.Http;

namespace Candela.Controller.Api.Images;

/// <summary>
/// Progress of a pull or load as lines of JSON. Nothing is sent before the first line, so that an early failure still gets its
/// status; a later one becomes the last line.
/// </summary>
internal sealed class ProgressLines(HttpContext http, TaskList tasks) : IProgress<ImageProgress>
{
    private readonly MessageRelay<ProgressLine> _relay = new();

    public void Report(ImageProgress value) => _relay.Report(new ProgressLine { Id = value.Id, Status = value.Status, Current = value.Current, Total = value.Total });

    /// <summary>Runs the work as a task and sends what it reports; the last line tells what has come.</summary>
    public async Task RunAsync(string kind, string subject, Func<IProgress<ImageProgress>, Task<IReadOnlyList<Image>>> work)
    {
        var caller = http.Caller;
        try
        {
            await _relay.RunAsync(
                async () =>
                {
                    var images = await tasks.RunAsync(caller, kind, subject, this, work);
                    _relay.Report(new ProgressLine
                    {
                        Status = "Done: " + string.Join(", ", images.Select(image => image.Tags.Count > 0 ? image.Tags[0] : image.Id)),
                        ImageIds = [.. images.Select(image => image.Id)],
                    });
                },
                SendAsync);
        }
        catch (CandelaException e) when (http.Response.HasStarted && e.Code != ErrorCode.Internal)
        {
            await SendAsync(new ProgressLine { Error = e.Message, Code = e.Code }, isLast: true);
        }
    }

    private async Task SendAsync(ProgressLine line, bool isLast)
    {
        if (http.RequestAborted.IsCancellationRequested)
            return;
        if (!http.Response.HasStarted)
            await http.StartStreamAsync(ApiRequests.LinesType);
        http.WriteLine(line, ApiJson.Default.ProgressLine);
        if (isLast)
            await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
    }
}
