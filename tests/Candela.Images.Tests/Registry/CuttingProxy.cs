using System.Net;
using System.Net.Sockets;

namespace Candela.Images.Tests.Registry;

/// <summary>Hands connections on to a server, and cuts the first ones after so many bytes from the client.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly IPEndPoint _target;
    private readonly int _bytes;
    private readonly Task _accepting;
    private int _cutsLeft;

    /// <param name="target">The server, <c>ADDRESS:PORT</c>.</param>
    /// <param name="bytes">Bytes that come through before a cut.</param>
    /// <param name="cuts">Connections to cut.</param>
    public CuttingProxy(string target, int bytes, int cuts)
    {
        _target = IPEndPoint.Parse(target);
        _bytes = bytes;
        _cutsLeft = cuts;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Authority => _listener.LocalEndpoint.ToString()!;

    /// <summary>Connections that were cut.</summary>
    public int Cuts { get; private set; }

    /// <summary>Bytes that clients have sent in all.</summary>
    public long Received => Interlocked.Read(ref _received);

    private long _received;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
                connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
        }

        await Task.WhenAll(connections);
    }

    private async Task ServeAsync(TcpClient client)
    {
        using TcpClient server = new();
        using (client)
        {
            try
            {
                await server.ConnectAsync(_target, _end.Token);
                await Task.WhenAny(CopyAsync(client.GetStream(), server.GetStream(), isUpload: true), CopyAsync(server.GetStream(), client.GetStream(), isUpload: false));
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
            }
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, bool isUpload)
    {
        try
        {
            byte[] buffer = new byte[16 << 10];
            int passed = 0;
            for (int read; (read = await from.ReadAsync(buffer, _end.Token)) > 0;)
            {
                await to.WriteAsync(buffer.AsMemory(0, read), _end.Token);
                if (!isUpload)
                    continue;
                Interlocked.Add(ref _received, read);
                passed += read;
                if (passed < _bytes || Interlocked.Decrement(ref _cutsLeft) < 0)
                    continue;
                Cuts++;
                return;
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
        }
    }
}
