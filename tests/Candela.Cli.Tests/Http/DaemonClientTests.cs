using System.Text;
using Candela.Cli.Http;
using Candela.Model;

namespace Candela.Cli.Tests.Http;

public sealed class DaemonClientTests
{
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nTrailer: x\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\nhello")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")]
    public void A_body_is_read_however_its_length_is_told(string answer)
    {
        // Byte by byte: nothing may depend on how the answer is cut.
        using var server = new OneAnswerServer([.. answer.Select(letter => letter.ToString())]);
        using (var client = new DaemonClient(server.SocketPath))
            Assert.Equal("hello", Encoding.ASCII.GetString(client.GetJson("/v1/x")));
        Assert.StartsWith("GET /v1/x HTTP/1.1\r\nHost: ", server.Received, StringComparison.Ordinal);
    }

    [Fact]
    public void A_body_that_ends_early_is_an_error()
    {
        using var server = new OneAnswerServer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
        using var client = new DaemonClient(server.SocketPath);
        Assert.Throws<EndOfStreamException>(() => client.GetJson("/"));
    }

    [Fact]
    public void A_problem_becomes_an_exception_with_its_code_and_detail()
    {
        const string Problem = """{"type":"about:blank","title":"Not Found","status":404,"detail":"no container is called x","code":"NotFound"}""";
        using var server = new OneAnswerServer($"HTTP/1.1 404 Not Found\r\nContent-Type: application/problem+json\r\nContent-Length: {Problem.Length}\r\n\r\n{Problem}");
        using var client = new DaemonClient(server.SocketPath);
        var exception = Assert.Throws<ApiException>(() => client.GetJson("/"));
        Assert.True(exception.Is(ErrorCode.NotFound));
        Assert.Equal((404, "no container is called x"), (exception.Status, exception.Message));
    }

    [Fact]
    public void An_upload_is_chunked()
    {
        using var server = new OneAnswerServer("0\r\n\r\n", ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]);
        using (var client = new DaemonClient(server.SocketPath))
        {
            var response = client.Upload("POST", "/v1/images/load", new MemoryStream("archive"u8.ToArray()), "application/x-tar");
            response.Connection.Dispose();
        }
        Assert.EndsWith("Transfer-Encoding: chunked\r\n\r\n7\r\narchive\r\n0\r\n\r\n", server.Received, StringComparison.Ordinal);
    }

    [Fact]
    public void Frames_go_both_ways_after_the_upgrade()
    {
        using var server = new OneAnswerServer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: candela-stream\r\n\r\n\x01\x03\0\0\0out", "\x03\x04\0\0\0\x2a\0\0\0");
        using (var client = new DaemonClient(server.SocketPath))
        using (var stream = client.Upgrade("POST", "/attach"))
        {
            Assert.True(stream.TryRead(out var kind, out var data));
            Assert.Equal((FrameKind.Stdout, "out"), (kind, Encoding.ASCII.GetString(data)));
            Assert.True(stream.TryRead(out kind, out data));
            Assert.Equal((FrameKind.Exit, 42), (kind, StreamConnection.ReadExitCode(data)));
            Assert.False(stream.TryRead(out _, out _));
            stream.WriteResize(24, 80);
        }
        Assert.EndsWith("\r\n\r\n\x04\x04\0\0\0\x18\0\x50\0", server.Received, StringComparison.Ordinal);
    }

    [Fact]
    public void A_frame_beyond_the_limit_is_refused()
    {
        using var server = new OneAnswerServer("HTTP/1.1 101 Switching Protocols\r\n\r\n\x01\xff\xff\xff\x7f");
        using var client = new DaemonClient(server.SocketPath);
        using var stream = client.Upgrade("POST", "/attach");
        Assert.Throws<InvalidDataException>(() => stream.TryRead(out _, out _));
    }

    [Fact]
    public void Without_a_daemon_the_message_says_what_to_do()
    {
        using var client = new DaemonClient("/nonexistent/candela.sock");
        Assert.Contains("candela up", Assert.Throws<DaemonUnreachableException>(() => client.GetJson("/")).Message, StringComparison.Ordinal);
    }
}
