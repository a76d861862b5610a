using System.Text;
using System.Text.Json;
using Candela.Cli.Api;
using Candela.Cli.Http;

namespace Candela.Controller.Tests.Api;

/// <summary>Logs, events, waits: answers that come bit by bit, and clients that leave in their midst.</summary>
public sealed class LiveStreamTests
{
    [Fact]
    public async Task Logs_are_followed_as_lines_until_the_container_ends()
    {
        await using var server = await ApiServer.StartAsync();
        var id = await server.RunAsync("echo one; echo two >&2; read x; echo three", ""","openStdin":true""");
        using var response = await server.Http.GetAsync($"/v1/containers/{id}/logs?follow=true", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType?.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var first = new[] { await LineAsync(reader), await LineAsync(reader) };
        Assert.Equal(["stderr two\n", "stdout one\n"], first.Select(Show).Order());
        using var client = server.Client();
        using var stream = client.Upgrade("POST", Routes.Query(Routes.Container(id, "attach"), ("stdin", "true")));
        stream.Write(FrameKind.Stdin, "\n"u8);
        Assert.Equal("stdout three\n", Show(await LineAsync(reader)));
        Assert.Null(await LineAsync(reader));

        static string Show(string? line)
        {
            using var document = JsonDocument.Parse(line!);
            Assert.True(document.RootElement.GetProperty("at").GetDateTimeOffset() > DateTimeOffset.UnixEpoch);
            return document.RootElement.GetProperty("stream").GetString() + " " + document.RootElement.GetProperty("text").GetString();
        }
    }

    [Fact]
    public async Task Logs_come_as_frames_with_the_upgrade()
    {
        await using var server = await ApiServer.StartAsync();
        var id = await server.RunAsync("echo one; echo two >&2");
        using var client = server.Client();
        client.Post(Routes.Container(id, "wait"));
        using var stream = client.Upgrade("GET", Routes.Query(Routes.Container(id, "logs"), ("follow", "true"), ("timestamps", "true")));
        var seen = new SortedDictionary<FrameKind, string>();
        while (stream.TryRead(out var kind, out var data))
            seen[kind] = Encoding.UTF8.GetString(data);
        Assert.Equal([FrameKind.Stdout, FrameKind.Stderr], seen.Keys);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z one\n$", seen[FrameKind.Stdout]);
        Assert.EndsWith(" two\n", seen[FrameKind.Stderr], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Logs_of_an_unknown_container_are_a_problem_with_and_without_the_upgrade()
    {
        await using var server = await ApiServer.StartAsync();
        await ApiServer.ProblemAsync(await server.Http.GetAsync("/v1/containers/nobody/logs"), 404, "NotFound");
        using var client = server.Client();
        Assert.Equal(404, Assert.Throws<ApiException>(() => client.Upgrade("GET", Routes.Container("nobody", "logs"))).Status);
    }

    [Fact]
    public async Task Events_come_as_they_happen()
    {
        await using var server = await ApiServer.StartAsync();
        using var response = await server.Http.GetAsync("/v1/events", HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var id = await server.CreateAsync("true");
        var happened = JsonSerializer.Deserialize(await LineAsync(reader) ?? "", Wire.Default.EventLine)!;
        Assert.Equal((1L, "container", "create", id), (happened.Sequence, happened.Kind, happened.Action, happened.ResourceId));
        Assert.Equal("candela/base", happened.Attributes!["image"]);
    }

    [Fact]
    public async Task Past_events_end_at_the_time_given()
    {
        await using var server = await ApiServer.StartAsync();
        await server.CreateAsync("true");
        using var client = server.Client();
        var target = Routes.Query(Routes.Events, ("since", "2020-01-01T00:00:00.0000000Z"), ("until", DateTimeOffset.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ")));
        Assert.Single(Lines.Read(client.Stream("GET", target).Body));
    }

    [Fact]
    public async Task Events_from_after_their_end_are_refused()
    {
        await using var server = await ApiServer.StartAsync();
        await ApiServer.ProblemAsync(await server.Http.GetAsync("/v1/events?since=2030-01-01T00:00:00Z&until=2020-01-01T00:00:00Z"), 400, "InvalidArgument");
    }

    [Fact]
    public async Task A_wait_tells_the_exit_code()
    {
        await using var server = await ApiServer.StartAsync();
        var id = await server.RunAsync("exit 6");
        using var client = server.Client();
        var answer = DaemonClient.Deserialize(client.Post(Routes.Container(id, "wait")), Wire.Default.WaitAnswer);
        Assert.Equal(6, answer.ExitCode);
    }

    [Theory]
    [InlineData("POST /v1/containers/{0}/wait", "")]
    [InlineData("GET /v1/events", "")]
    [InlineData("GET /v1/containers/{0}/logs?follow=true", "")]
    [InlineData("GET /v1/containers/{0}/logs?follow=true", "Connection: Upgrade\r\nUpgrade: candela-stream\r\n")]
    [InlineData("POST /v1/containers/{0}/attach?stdin=true&logs=true", "Connection: Upgrade\r\nUpgrade: candela-stream\r\n")]
    public async Task A_client_that_leaves_ends_its_call(string call, string headers)
    {
        var watched = new WatchedContainerService();
        await using var server = await ApiServer.StartAsync(watched.Register);
        var id = await server.RunAsync("while true; do echo x; done", ""","openStdin":true""");
        using (var socket = await server.ConnectAsync())
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(string.Format(null, call, id) + $" HTTP/1.1\r\nHost: c\r\n{headers}Content-Length: 0\r\n\r\n"));
            await watched.Begun.WaitAsync(ApiServer.Deadline);
        }

        await watched.Cancelled.WaitAsync(ApiServer.Deadline);
        server.Http.DefaultRequestHeaders.ConnectionClose = true;
        (await server.Http.GetAsync("/v1/status")).EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task A_load_is_told_when_the_client_leaves_in_the_midst_of_the_archive()
    {
        await using var server = await ApiServer.StartAsync();
        using (var socket = await server.ConnectAsync())
            await socket.SendAsync("POST /v1/images/load HTTP/1.1\r\nHost: c\r\nContent-Type: application/x-tar\r\nContent-Length: 1000000\r\n\r\nabc"u8.ToArray());
        using var client = server.Client();
        IReadOnlyList<TaskRow> tasks;
        using var limit = new CancellationTokenSource(ApiServer.Deadline);
        do
        {
            limit.Token.ThrowIfCancellationRequested();
            tasks = client.Get(Routes.Tasks, Wire.Default.IReadOnlyListTaskRow);
        }
        while (tasks is not [{ State: "Failed" }]);
        Assert.Equal("load", tasks[0].Kind);
    }

    private static async Task<string?> LineAsync(StreamReader reader) => await reader.ReadLineAsync().WaitAsync(ApiServer.Deadline);
}
