using System.Net.Sockets;
using System.Text;
using Candela.Cli.Api;
using Candela.Cli.Http;

namespace Candela.Controller.Tests.Api;

public sealed class StreamTests
{
    [Fact]
    public async Task Attach_carries_output_and_the_exit_code()
    {
        await using var server = await ApiServer.StartAsync();
        var id = await server.CreateAsync("echo out; echo err >&2; exit 7");
        using var client = server.Client();
        using var stream = client.Upgrade("POST", Routes.Container(id, "attach"));
        client.Post(Routes.Container(id, "start"));
        Assert.Equal(("out\n", "err\n", 7), await ReadAsync(stream));
    }

    [Fact]
    public async Task Closing_input_ends_the_processs_input_and_output_goes_on()
    {
        await using var server = await ApiServer.StartAsync();
        var id = await server.RunAsync("cat; echo after; exit 3", ""","openStdin":true,"stdinOnce":true""");
        using var client = server.Client();
        using var stream = client.Upgrade("POST", Routes.Query(Routes.Container(id, "attach"), ("stdin", "true"), ("logs", "true")));
        stream.Write(FrameKind.Stdin, Encoding.UTF8.GetBytes("hello\n"));
        stream.Write(FrameKind.StdinClose, default);
        Assert.Equal(("hello\nafter\n", "", 3), await ReadAsync(stream));
    }

    [Fact]
    public async Task A_client_that_closes_its_writing_side_still_gets_output_and_exit()
    {
        await using var server = await ApiServer.StartAsync();
        var id = await server.RunAsync("cat; exit 5", ""","openStdin":true,"stdinOnce":true""");
        using var socket = await server.ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            $"POST /v1/containers/{id}/attach?stdin=true HTTP/1.1\r\nHost: c\r\nConnection: Upgrade\r\nUpgrade: candela-stream\r\nContent-Length: 0\r\n\r\n"));
        await using var stream = new NetworkStream(socket);
        Assert.StartsWith("HTTP/1.1 101 ", await ReadHeadAsync(stream), StringComparison.Ordinal);
        await stream.WriteAsync((byte[])[0, 3, 0, 0, 0, .. "abc"u8]);
        socket.Shutdown(SocketShutdown.Send);
        var answer = new MemoryStream();
        await stream.CopyToAsync(answer).WaitAsync(ApiServer.Deadline);
        Assert.Equal((byte[])[1, 3, 0, 0, 0, .. "abc"u8, 3, 4, 0, 0, 0, 5, 0, 0, 0], answer.ToArray());
    }

    [Fact]
    public async Task A_client_that_leaves_lets_the_process_go_on()
    {
        await using var server = await ApiServer.StartAsync();
        var id = await server.RunAsync("read line; echo got $line; exit 9", ""","openStdin":true""");
        using var client = server.Client();
        using (var first = client.Upgrade("POST", Routes.Query(Routes.Container(id, "attach"), ("stdin", "true"))))
            first.Shutdown();
        using var second = client.Upgrade("POST", Routes.Query(Routes.Container(id, "attach"), ("stdin", "true")));
        second.Write(FrameKind.Stdin, "x\n"u8);
        Assert.Equal(("got x\n", "", 9), await ReadAsync(second));
    }

    [Fact]
    public async Task Large_input_comes_back_whole()
    {
        await using var server = await ApiServer.StartAsync();
        var id = await server.CreateAsync("cat", ""","openStdin":true,"stdinOnce":true""");
        using var client = server.Client();
        using var stream = client.Upgrade("POST", Routes.Query(Routes.Container(id, "attach"), ("stdin", "true")));
        client.Post(Routes.Container(id, "start"));
        var text = string.Concat(Enumerable.Range(0, 300_000).Select(number => number + "\n"));
        var writing = Task.Run(() =>
        {
            var bytes = Encoding.UTF8.GetBytes(text).AsSpan();
            for (; !bytes.IsEmpty; bytes = bytes[Math.Min(bytes.Length, 900_000)..])
                stream.Write(FrameKind.Stdin, bytes[..Math.Min(bytes.Length, 900_000)]);
            stream.Write(FrameKind.StdinClose, default);
        });
        var (output, _, exit) = await ReadAsync(stream);
        await writing.WaitAsync(ApiServer.Deadline);
        Assert.Equal(0, exit);
        Assert.True(text == output, "the output differs from the input");
    }

    [Fact]
    public async Task A_frame_that_a_client_may_not_send_ends_the_stream_with_an_error()
    {
        await using var server = await ApiServer.StartAsync();
        var id = await server.RunAsync("cat", ""","openStdin":true""");
        using var client = server.Client();
        using var stream = client.Upgrade("POST", Routes.Query(Routes.Container(id, "attach"), ("stdin", "true")));
        stream.Write(FrameKind.Exit, [1, 0, 0, 0]);
        var (kind, data) = await NextAsync(stream);
        Assert.Equal(FrameKind.Error, kind);
        Assert.Contains("kind 3", Encoding.UTF8.GetString(data), StringComparison.Ordinal);
        Assert.Null((await NextAsync(stream)).Kind);
    }

    [Fact]
    public async Task Exec_carries_input_output_terminal_size_and_exit_code()
    {
        await using var server = await ApiServer.StartAsync();
        var id = await server.RunAsync("sleep 60");
        using var client = server.Client();
        var exec = client.Post(Routes.Container(id, "exec"), new ExecRequest(["sh", "-c", "stty size; read x; exit $x"], ["A=b"], null, null, true, true, false), Wire.Default.ExecRequest, Wire.Default.ExecAnswer);
        var start = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new StartExecRequest(false, 31, 97), Wire.Default.StartExecRequest);
        using var stream = client.Upgrade("POST", Routes.Exec(exec.Id, "start"), start);
        stream.WriteResize(32, 98);
        stream.Write(FrameKind.Stdin, "4\n"u8);
        var (output, _, exit) = await ReadAsync(stream);
        Assert.Matches("(31 97|32 98)", output);
        Assert.Equal(4, exit);
    }

    [Fact]
    public async Task A_detached_exec_answers_at_once()
    {
        await using var server = await ApiServer.StartAsync();
        var id = await server.RunAsync("sleep 60");
        using var client = server.Client();
        var exec = client.Post(Routes.Container(id, "exec"), new ExecRequest(["sleep", "60"], [], null, null, false, false, false), Wire.Default.ExecRequest, Wire.Default.ExecAnswer);
        Assert.Empty(client.Post(Routes.Exec(exec.Id, "start"), new StartExecRequest(true, null, null), Wire.Default.StartExecRequest));
        Assert.Contains("\"running\":true", Encoding.UTF8.GetString(client.GetJson(Routes.Exec(exec.Id))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_exec_of_a_missing_command_is_refused_before_the_upgrade()
    {
        await using var server = await ApiServer.StartAsync();
        var id = await server.RunAsync("sleep 60");
        using var client = server.Client();
        var exec = client.Post(Routes.Container(id, "exec"), new ExecRequest(["/no/such"], [], null, null, false, false, false), Wire.Default.ExecRequest, Wire.Default.ExecAnswer);
        var start = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new StartExecRequest(false, null, null), Wire.Default.StartExecRequest);
        var failure = Assert.Throws<ApiException>(() => client.Upgrade("POST", Routes.Exec(exec.Id, "start"), start));
        Assert.Equal((422, "CommandNotFound"), (failure.Status, failure.Code));
    }

    [Fact]
    public async Task Attach_without_the_upgrade_is_refused()
    {
        await using var server = await ApiServer.StartAsync();
        var id = await server.CreateAsync("true");
        var response = await server.Http.PostAsync($"/v1/containers/{id}/attach", null);
        await ApiServer.ProblemAsync(response, 426, "InvalidArgument");
        Assert.Equal("candela-stream", response.Headers.Upgrade.Single().Name);
    }

    [Fact]
    public async Task Attach_to_an_unknown_container_is_a_problem()
    {
        await using var server = await ApiServer.StartAsync();
        using var client = server.Client();
        var failure = Assert.Throws<ApiException>(() => client.Upgrade("POST", Routes.Container("nobody", "attach")));
        Assert.Equal((404, "NotFound"), (failure.Status, failure.Code));
    }

    private static async Task<(string Output, string Error, int? Exit)> ReadAsync(StreamConnection stream)
    {
        var (output, error) = (new MemoryStream(), new MemoryStream());
        int? exit = null;
        while (true)
        {
            var (kind, data) = await NextAsync(stream);
            switch (kind)
            {
                case null:
                    return (Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(error.ToArray()), exit);
                case FrameKind.Exit:
                    exit = StreamConnection.ReadExitCode(data);
                    break;
                default:
                    (kind == FrameKind.Stdout ? output : error).Write(data);
                    break;
            }
        }
    }

    private static Task<(FrameKind? Kind, byte[] Data)> NextAsync(StreamConnection stream) =>
        Task.Run<(FrameKind?, byte[])>(() => stream.TryRead(out var kind, out var data) ? (kind, data.ToArray()) : (null, [])).WaitAsync(ApiServer.Deadline);

    private static async Task<string> ReadHeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one);
            head.Append((char)one[0]);
        }

        return head.ToString();
    }
}
