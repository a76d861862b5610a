using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Candela.Controller.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Candela.Docker.Tests.Transport;

public sealed class HalfOpenUnixSocketTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Response_goes_on_after_the_client_has_closed_its_side()
    {
        var closedSeen = new TaskCompletionSource();
        await using var server = await SocketServer.StartAsync(app => app.Map("/", async context =>
        {
            closedSeen.SetResult();
            using var buffer = new MemoryStream();
            await context.Request.Body.CopyToAsync(buffer);
            for (var i = 0; i < 1000; i++)
                await context.Response.Body.WriteAsync(new byte[1024]);
        }));
        using var client = Connect(server);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);
        await closedSeen.Task.WaitAsync(Deadline);
        var all = await ReadAllAsync(client);
        Assert.StartsWith("HTTP/1.1 200", Encoding.ASCII.GetString(all, 0, 20));
        Assert.True(all.Length > 1000 * 1024);
    }

    [Fact]
    public async Task Request_is_aborted_when_the_client_goes_away()
    {
        var started = new TaskCompletionSource();
        var aborted = new TaskCompletionSource();
        await using var server = await SocketServer.StartAsync(app => app.Map("/", async context =>
        {
            context.RequestAborted.Register(aborted.SetResult);
            started.SetResult();
            await aborted.Task;
        }));
        using (var client = Connect(server))
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray());
            await started.Task.WaitAsync(Deadline);
            client.Shutdown(SocketShutdown.Send);
            Assert.False(aborted.Task.IsCompleted);
        }

        await aborted.Task.WaitAsync(Deadline);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Connection: Upgrade\r\nUpgrade: tcp\r\n")]
    public async Task Connection_can_be_taken_over_after_a_body_and_survives_half_close(string headers)
    {
        await using var server = await SocketServer.StartAsync(app => app.Map("/", async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            var pipe = context.Features.Get<IConnectionTakeoverFeature>()!.TakeOver();
            await pipe.Output.WriteAsync("HTTP/1.1 101 UPGRADED\r\n\r\n"u8.ToArray());
            while (true)
            {
                var result = await pipe.Input.ReadAsync();
                foreach (var memory in result.Buffer)
                    await pipe.Output.WriteAsync(memory);
                pipe.Input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                    break;
            }

            await pipe.Output.WriteAsync(body.ToArray());
            await pipe.Output.CompleteAsync();
        }));
        using var client = Connect(server);
        await client.SendAsync(Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\nHost: a\r\n{headers}Content-Length: 5\r\n\r\n12345"));
        var sent = new byte[5 * 1024 * 1024];
        new Random(1).NextBytes(sent);
        var sending = Task.Run(async () =>
        {
            var rest = sent.AsMemory();
            while (!rest.IsEmpty)
                rest = rest[await client.SendAsync(rest)..];
            client.Shutdown(SocketShutdown.Send);
        });
        var all = await ReadAllAsync(client);
        await sending;
        var head = "HTTP/1.1 101 UPGRADED\r\n\r\n".Length;
        Assert.Equal(head + sent.Length + 5, all.Length);
        Assert.True(all.AsSpan(head, sent.Length).SequenceEqual(sent));
        Assert.Equal("12345", Encoding.ASCII.GetString(all.AsSpan(head + sent.Length)));
    }

    [Fact]
    public async Task Peer_credentials_are_those_of_this_process()
    {
        await using var server = await SocketServer.StartAsync(app => app.MapGet("/", context =>
        {
            var peer = context.Features.Get<IPeerCredentialFeature>()!;
            return context.Response.WriteAsync($"{peer.UserId} {peer.ProcessId}");
        }));
        using var client = Connect(server);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"u8.ToArray());
        var text = Encoding.ASCII.GetString(await ReadAllAsync(client));
        Assert.Contains($"0 {Environment.ProcessId}", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Socket_file_is_made_with_mode_0660_and_removed_at_the_end()
    {
        string path;
        await using (var server = await SocketServer.StartAsync(_ => { }))
        {
            path = server.SocketPath;
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, File.GetUnixFileMode(path));
            Assert.Equal([path], Directory.GetFileSystemEntries(server.Folder));
        }

        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task Live_socket_is_refused_and_a_stale_one_replaced()
    {
        var folder = Directory.CreateTempSubdirectory("cdk").FullName;
        var path = Path.Combine(folder, "t.sock");
        var stale = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        stale.Bind(new UnixDomainSocketEndPoint(path + "x"));
        File.Move(path + "x", path); // so that closing does not delete it
        stale.Listen();
        await Assert.ThrowsAsync<IOException>(() => SocketServer.StartAsync(_ => { }, folder: folder));
        stale.Dispose();
        Assert.True(File.Exists(path));
        await using var server = await SocketServer.StartAsync(app => app.MapGet("/", () => "ok"), folder: folder);
        using var client = Connect(server);
    }

    [Fact]
    public async Task File_that_is_not_a_socket_is_never_replaced()
    {
        var folder = Directory.CreateTempSubdirectory("cdk").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "t.sock"), "precious");
            var error = await Assert.ThrowsAsync<IOException>(() => SocketServer.StartAsync(_ => { }, folder: folder));
            Assert.Contains("not a socket", error.Message, StringComparison.Ordinal);
            Assert.Equal("precious", await File.ReadAllTextAsync(Path.Combine(folder, "t.sock")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Socket Connect(SocketServer server)
    {
        var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(server.SocketPath));
        return client;
    }

    private static async Task<byte[]> ReadAllAsync(Socket client)
    {
        using var limit = new CancellationTokenSource(Deadline);
        var all = new ArrayBufferWriter<byte>();
        while (true)
        {
            var count = await client.ReceiveAsync(all.GetMemory(65536), limit.Token);
            if (count == 0)
                return all.WrittenSpan.ToArray();
            all.Advance(count);
        }
    }
}
