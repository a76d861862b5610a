using System.Net.Sockets;
using System.Text;
using Candela.Microvisor.Qemu;
using Candela.Tests.Shared;

namespace Candela.Microvisor.Tests.Qemu;

/// <summary>A VMM that lies, floods or leaves harms only itself.</summary>
public sealed class QmpConnectionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Socket _server = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public QmpConnectionTests()
    {
        _server.Bind(new UnixDomainSocketEndPoint(_folder.File("qmp")));
        _server.Listen(1);
    }

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Matches_answers_by_id_and_ignores_the_rest()
    {
        using var vmm = await ConnectAsync();
        Task<System.Text.Json.JsonElement> first = vmm.Client.ExecuteAsync("one", null, CancellationToken.None), second = vmm.Client.ExecuteAsync("two", null, CancellationToken.None);

        await vmm.SayAsync("[1]\n{\"return\":1,\"id\":99}\n{\"return\":1,\"id\":\"x\"}\n\r\n{\"event\":\"STOP\"}\n{\"return\":\"b\",\"id\":3}\n{\"return\":\"a\",\"id\":2}\n");

        Assert.Equal("a", (await first).GetString());
        Assert.Equal("b", (await second).GetString());
    }

    [Fact]
    public async Task Fails_what_waits_when_the_vmm_leaves()
    {
        using var vmm = await ConnectAsync();
        Task waiting = vmm.Client.ExecuteAsync("cont", null, CancellationToken.None);

        vmm.Server.Dispose();

        await Assert.ThrowsAsync<IOException>(() => waiting);
        await Assert.ThrowsAnyAsync<IOException>(() => vmm.Client.ExecuteAsync("cont", null, CancellationToken.None));
    }

    [Theory]
    [InlineData("{\"return\":")]
    [InlineData("nonsense")]
    public async Task Fails_what_waits_when_the_vmm_talks_nonsense(string line)
    {
        using var vmm = await ConnectAsync();
        Task waiting = vmm.Client.ExecuteAsync("cont", null, CancellationToken.None);

        await vmm.SayAsync(line + "\n");

        await Assert.ThrowsAsync<IOException>(() => waiting);
    }

    [Fact]
    public async Task Refuses_an_endless_line()
    {
        using var vmm = await ConnectAsync();
        Task waiting = vmm.Client.ExecuteAsync("cont", null, CancellationToken.None);

        await Assert.ThrowsAnyAsync<SocketException>(async () =>
        {
            for (int i = 0; i < 100; i++)
                await vmm.SayAsync(new string('x', 64 * 1024));
        });

        await Assert.ThrowsAsync<IOException>(() => waiting);
    }

    [Fact]
    public async Task Tells_what_the_vmm_refused_and_that_the_guest_powered_off()
    {
        using var vmm = await ConnectAsync();
        Task refused = vmm.Client.ExecuteAsync("cont", null, CancellationToken.None);

        await vmm.SayAsync("{\"event\":\"SHUTDOWN\",\"data\":{\"guest\":true}}\n{\"error\":{\"desc\":\"no such thing\"},\"id\":2}\n");

        Assert.Contains("no such thing", (await Assert.ThrowsAsync<QmpException>(() => refused)).Message, StringComparison.Ordinal);
        Assert.True(vmm.Client.GuestShutdown);
    }

    private async Task<FakeVmm> ConnectAsync()
    {
        Task<QmpConnection> connecting = QmpConnection.ConnectAsync(_folder.File("qmp"), CancellationToken.None);
        Socket server = await _server.AcceptAsync();
        await server.SendAsync(Encoding.UTF8.GetBytes("{\"QMP\":{}}\n{\"return\":{},\"id\":1}\n"));
        return new FakeVmm(await connecting, server);
    }

    private sealed record FakeVmm(QmpConnection Client, Socket Server) : IDisposable
    {
        public async Task SayAsync(string text)
        {
            for (ReadOnlyMemory<byte> rest = Encoding.UTF8.GetBytes(text); !rest.IsEmpty;)
                rest = rest[await Server.SendAsync(rest)..];
        }

        public void Dispose()
        {
            Client.Dispose();
            Server.Dispose();
        }
    }
}
