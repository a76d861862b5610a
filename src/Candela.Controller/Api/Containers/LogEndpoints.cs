using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Candela.Controller.Api.Http;
using Candela.Controller.Api.Streams;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Candela.Controller.Api.Containers;

/// <summary>A container's output so far and, followed, from now on.</summary>
internal static class LogEndpoints
{
    private const int FlushBytes = 64 * 1024;
    private const int NanosecondsPerTick = 100;

    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("/containers/{reference}/logs", ReadAsync).Needs(ResourceKind.Container, Verb.Logs).WithTags("Containers").ProducesLines<LogLine>().ProducesStream()
            .Describe("readContainerLogs", "Reads a container's output: as candela-stream when the request asks for that upgrade, else as lines of JSON", ErrorCode.NotFound);

    private static async Task ReadAsync(
        string reference, HttpContext http, IContainerService containers, int? tail, DateTimeOffset? since, DateTimeOffset? until,
        bool follow = false, bool stdout = true, bool stderr = true, bool timestamps = false)
    {
        if (tail < 0)
            throw new CandelaException(ErrorCode.InvalidArgument, $"tail is 0 at least, not {tail}");
        var upgrade = CandelaStream.IsAskedFor(http.Request);
        using var lifetime = upgrade ? http.LinkConnection() : http.LinkLifetime();
        var options = new LogOptions { Follow = follow, Stdout = stdout, Stderr = stderr, Tail = tail, Since = since, Until = until };
        var container = await containers.GetAsync(http.Caller, reference, lifetime.Token);
        await using var entries = containers.ReadLogsAsync(http.Caller, container.Id, options, lifetime.Token).GetAsyncEnumerator(lifetime.Token);
        var next = entries.MoveNextAsync().AsTask();
        if (next.IsCompleted)
            await next; // a failure at once still gets its status
        try
        {
            if (upgrade)
                await StreamAsync(http, entries, next, timestamps);
            else
                await WriteLinesAsync(http, entries, next, lifetime.Token);
        }
        finally
        {
            // That the client has gone may be seen here first.
            await lifetime.CancelAsync();
        }
    }

    private static async Task StreamAsync(HttpContext http, IAsyncEnumerator<LogEntry> entries, Task<bool> next, bool timestamps)
    {
        var connection = await CandelaStream.OpenAsync(http);
        try
        {
            await CopyAsync(entries, next, connection.Output, entry =>
            {
                var data = timestamps ? (byte[])[.. Stamp(entry), .. entry.Line.Span] : entry.Line;
                CandelaStream.WriteOutput(connection.Output, entry.IsStderr, data.Span);
            }, connection.Gone);
        }
        catch (CandelaException e) when (e.Code != ErrorCode.Internal)
        {
            CandelaStream.WriteError(connection.Output, e.Message);
        }
        catch (OperationCanceledException)
        {
            // The client has seen enough, or the daemon stops.
        }
        catch (Exception)
        {
            CandelaStream.WriteError(connection.Output, CandelaStream.InternalErrorText);
            throw;
        }
        finally
        {
            await connection.CompleteAsync();
        }
    }

    private static async Task WriteLinesAsync(HttpContext http, IAsyncEnumerator<LogEntry> entries, Task<bool> next, CancellationToken cancellationToken)
    {
        await http.StartStreamAsync(ApiRequests.LinesType);
        try
        {
            await CopyAsync(entries, next, http.Response.BodyWriter, entry => http.WriteLine(
                new LogLine(Time(entry), entry.IsStderr ? "stderr" : "stdout", Encoding.UTF8.GetString(entry.Line.Span)), ApiJson.Default.LogLine), cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // As above.
        }
    }

    /// <summary>Writes what there is, and shows it whenever there is nothing more for now.</summary>
    private static async Task CopyAsync(
        IAsyncEnumerator<LogEntry> entries, Task<bool> next, PipeWriter output, Action<LogEntry> write, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (!next.IsCompleted)
                await output.FlushAsync(cancellationToken);
            if (!await next)
                break;
            write(entries.Current);
            if (output.CanGetUnflushedBytes && output.UnflushedBytes > FlushBytes && (await output.FlushAsync(cancellationToken)).IsCompleted)
                break; // the client has gone
            next = entries.MoveNextAsync().AsTask();
        }

        await output.FlushAsync(cancellationToken);
    }

    private static DateTimeOffset Time(LogEntry entry) => DateTimeOffset.UnixEpoch.AddTicks(entry.TimestampNanoseconds / NanosecondsPerTick);

    /// <summary>RFC 3339 with nanoseconds, as docker shows it.</summary>
    private static byte[] Stamp(LogEntry entry) => Encoding.ASCII.GetBytes(
        Time(entry).ToString("yyyy-MM-ddTHH:mm:ss.fffffff", CultureInfo.InvariantCulture)
        + (entry.TimestampNanoseconds % NanosecondsPerTick).ToString("00", CultureInfo.InvariantCulture) + "Z ");
}
