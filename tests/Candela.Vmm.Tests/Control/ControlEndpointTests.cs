using System.Net.Sockets;
using System.Text;
using Candela.Tests.Shared;
using Candela.Vmm.Control;
using Candela.Vmm.Tests.Support;

namespace Candela.Vmm.Tests.Control;

public sealed class ControlEndpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Echo _handler = new();
    private readonly LoopThread _loop = new();

    public ControlEndpointTests()
    {
        _listener.Bind(new UnixDomainSocketEndPoint(_folder.File("control")));
        _listener.Listen();
        _loop.Run(loop => _ = new ControlEndpoint(loop, _handler, (int)_listener.Handle));
    }

    public void Dispose()
    {
        _loop.Dispose();
        _listener.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Every_line_is_a_command_and_gets_an_answer()
    {
        using Socket client = Connect();
        client.Send("pau"u8);
        client.Send("se\nresume\n"u8);
        Assert.Equal("heard pause\nheard resume\n", Receive(client, 25));
    }

    [Fact]
    public void A_new_connection_replaces_the_former()
    {
        using Socket first = Connect();
        first.Send("half a com"u8);
        using Socket second = Connect();
        second.Send("status\n"u8);
        Assert.Equal("heard status\n", Receive(second, 13));
        Assert.Equal("", Receive(first, 1));
    }

    [Fact]
    public void A_line_without_end_is_refused()
    {
        using Socket client = Connect();
        client.Send(new byte[257]);
        Assert.StartsWith("error: a command has at most 256", Receive(client, 1000), StringComparison.Ordinal);
    }

    [Fact]
    public void A_descriptor_comes_with_a_command()
    {
        File.WriteAllText(_folder.File("passed"), "");
        using FileStream file = File.OpenRead(_folder.File("passed"));
        using Socket client = Connect();
        DescriptorSender.Send((int)client.Handle, "disk 0\n"u8, (int)file.SafeFileHandle.DangerousGetHandle());
        Assert.Equal("heard disk 0\n", Receive(client, 13));
        string link = new FileInfo($"/proc/self/fd/{Assert.Single(_handler.Descriptors)}").LinkTarget ?? "";
        Assert.Equal(_folder.File("passed"), link);
    }

    private Socket Connect()
    {
        Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 60_000 };
        client.Connect(new UnixDomainSocketEndPoint(_folder.File("control")));
        return client;
    }

    private static string Receive(Socket socket, int most)
    {
        byte[] bytes = new byte[most];
        int done = 0;
        // Reset is an end, too: of a connection whose bytes were not all read.
        while (done < most && socket.Receive(bytes.AsSpan(done), SocketFlags.None, out SocketError error) is > 0 and int count && error is SocketError.Success)
            done += count;
        return Encoding.ASCII.GetString(bytes, 0, done);
    }

    private sealed class Echo : ICommandHandler
    {
        public List<int> Descriptors { get; } = [];

        public string Handle(string command, Queue<int> descriptors)
        {
            while (descriptors.TryDequeue(out int descriptor))
                Descriptors.Add(descriptor);
            return "heard " + command;
        }
    }
}
