using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Candela.Microvisor.Native;
using Microsoft.Win32.SafeHandles;

namespace Candela.Microvisor.Qemu;

/// <summary>
/// Client of the QEMU Machine Protocol (docs/interop/qmp-spec.txt). The VMM is not trusted: lines are bounded, unknown answers ignored,
/// every command has a deadline.
/// </summary>
internal sealed class QmpConnection : IDisposable
{
    private const int LineBytes = 1 << 20;
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(20);

    private readonly Socket _socket;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<JsonElement>> _pending = new();
    private readonly Lock _sending = new();
    private long _lastId;
    private Exception? _failure;

    private QmpConnection(Socket socket)
    {
        _socket = socket;
        _socket.SendTimeout = 5000;
    }

    /// <summary>The guest asked for power-off or reset (event SHUTDOWN with guest = true).</summary>
    public bool GuestShutdown { get; private set; }

    /// <summary>Connects and leaves capabilities negotiation behind.</summary>
    public static async Task<QmpConnection> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var connection = new QmpConnection(socket);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            _ = connection.ReadAsync();
            await connection.ExecuteAsync("qmp_capabilities", null, cancellationToken);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Carries out a command; several may be under way, QEMU answers in order.</summary>
    /// <exception cref="QmpException">QEMU refused it.</exception>
    /// <exception cref="TimeoutException">No answer in time.</exception>
    /// <exception cref="IOException">The connection is gone.</exception>
    public async Task<JsonElement> ExecuteAsync(string command, JsonObject? arguments, CancellationToken cancellationToken, SafeFileHandle? descriptor = null)
    {
        long id = Interlocked.Increment(ref _lastId);
        var answer = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pending[id] = answer;
        try
        {
            if (_failure is { } failure)
                throw new IOException("the VMM's control connection is closed", failure);
            var request = new JsonObject { ["execute"] = command, ["id"] = id };
            if (arguments is not null)
                request["arguments"] = arguments;
            Send(JsonSerializer.SerializeToUtf8Bytes(request), descriptor);
            return await answer.Task.WaitAsync(CommandTimeout, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"QEMU did not answer {command} within {CommandTimeout.TotalSeconds:0} s");
        }
        catch (QmpException e)
        {
            throw new QmpException($"{command}: {e.Message}");
        }
        catch (SocketException e)
        {
            throw new IOException($"{command}: {e.Message}", e);
        }
        finally
        {
            _pending.TryRemove(id, out _);
        }
    }

    public void Dispose() => _socket.Dispose();

    private void Send(byte[] request, SafeFileHandle? descriptor)
    {
        lock (_sending)
        {
            ObjectDisposedException.ThrowIf(_socket.SafeHandle.IsClosed, this);
            if (descriptor is null)
                _socket.Send(request);
            else
                ListeningSocket.Send(_socket.SafeHandle, request, descriptor);
        }
    }

    private async Task ReadAsync()
    {
        byte[] buffer = new byte[4096];
        int used = 0;
        try
        {
            while (true)
            {
                if (used == buffer.Length)
                    Array.Resize(ref buffer, buffer.Length < LineBytes ? buffer.Length * 2 : throw new IOException("QEMU sent an endless line"));
                int count = await _socket.ReceiveAsync(buffer.AsMemory(used));
                if (count == 0)
                    throw new IOException("QEMU closed its control connection");
                int end = used + count, start = 0;
                for (int newline; (newline = Array.IndexOf(buffer, (byte)'\n', Math.Max(start, used), end - Math.Max(start, used))) >= 0; start = newline + 1)
                    Receive(buffer.AsSpan(start, newline - start));
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                used = end - start;
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or JsonException or InvalidOperationException or OperationCanceledException)
        {
            _failure = e;
            _socket.Dispose();
            foreach (long id in _pending.Keys)
            {
                if (_pending.TryRemove(id, out TaskCompletionSource<JsonElement>? answer))
                    answer.TrySetException(new IOException("the VMM's control connection closed", e));
            }
        }
    }

    private void Receive(ReadOnlySpan<byte> line)
    {
        if (line.TrimEnd((byte)'\r').IsEmpty)
            return;
        var reader = new Utf8JsonReader(line);
        using JsonDocument document = JsonDocument.ParseValue(ref reader);
        JsonElement message = document.RootElement;
        if (message.ValueKind != JsonValueKind.Object)
            return;
        if (message.TryGetProperty("event", out JsonElement name))
        {
            if (name.ValueEquals("SHUTDOWN") && message.TryGetProperty("data", out JsonElement data) && data.TryGetProperty("guest", out JsonElement guest))
                GuestShutdown |= guest.ValueKind == JsonValueKind.True;
        }
        else if (message.TryGetProperty("id", out JsonElement id) && id.ValueKind == JsonValueKind.Number && id.TryGetInt64(out long number) && _pending.TryRemove(number, out TaskCompletionSource<JsonElement>? answer))
        {
            if (message.TryGetProperty("return", out JsonElement result))
                answer.TrySetResult(result.Clone());
            else
                answer.TrySetException(new QmpException(message.TryGetProperty("error", out JsonElement error) ? error.ToString() : "no result"));
        }
    }
}

/// <summary>QEMU refused a command.</summary>
internal sealed class QmpException(string message) : Exception(message);
