using System.Collections.Concurrent;

namespace Candela.Guest.Protocol.Host;

public sealed partial class AgentConnection
{
    private readonly ConcurrentDictionary<uint, GuestConnection> _connections = new();

    private void OpenConnection(uint number)
    {
        if (_connections.Count >= ProtocolLimits.ConnectionCount)
            throw new AgentProtocolException($"The guest opened more than {ProtocolLimits.ConnectionCount} connections.");
        var connection = new GuestConnection(
            bytes => SendAsync(new FrameHeader(FrameType.ConnectionCredit, 0, 0, number, 0, (ulong)bytes), default, CancellationToken.None),
            data => SendAsync(new FrameHeader(FrameType.ConnectionData, 0, 0, number, 0, 0), data, CancellationToken.None),
            () => _connections.TryRemove(number, out _)
                ? SendAsync(new FrameHeader(FrameType.ConnectionClose, 0, 0, number, 0, 0), default, CancellationToken.None)
                : Task.CompletedTask);
        if (!_connections.TryAdd(number, connection))
            throw new AgentProtocolException("The guest opened a connection that is open.");
        if (Volatile.Read(ref _failure) is { } failure)
            connection.End(failure);
        connection.Begin();
        _events.OnConnected(connection);
    }
}
