using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Candela.Identity.Ldap.Server;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Ldap;

/// <summary>The LDAP v3 server of the directory (RFC 4510 and following).</summary>
public sealed partial class LdapServer : IAsyncDisposable
{
    private const int Backlog = 512;
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AcceptRetry = TimeSpan.FromMilliseconds(100);

    private readonly LdapServices _services;
    private readonly ConcurrentDictionary<LdapConnection, Task> _connections = new();
    private readonly Dictionary<IPAddress, int> _ofAddress = [];
    private readonly Lock _gate = new();
    private readonly List<(Socket Listener, Task Accepting)> _listeners = [];
    private readonly CancellationTokenSource _closing = new();
    private ITimer? _sweeper;

    internal LdapServer(LdapServices services) => _services = services;

    /// <summary>Where it listens, in the order of the options; ports are the true ones.</summary>
    public IReadOnlyList<EndPoint> Endpoints => [.. _listeners.Select(listener => listener.Listener.LocalEndPoint!)];

    /// <summary>Connections that there are.</summary>
    public int ConnectionCount => _connections.Count;

    /// <summary>Connections that are in a handshake, or have sent a part of a message.</summary>
    internal int UnfinishedCount => _connections.Keys.Count(connection => connection.IsUnfinished);

    /// <summary>Bytes that wait to be sent to all clients.</summary>
    internal long UnsentBytes => _connections.Keys.Sum(connection => (long)connection.UnsentBytes);

    /// <summary>Begins to listen. Who may reach a Unix socket is for its folder to say.</summary>
    /// <exception cref="SocketException">An address cannot be had.</exception>
    public void Start()
    {
        foreach (var endpoint in _services.Options.Endpoints)
        {
            if (endpoint.IsTls && _services.Options.Certificate is null)
                throw new InvalidOperationException($"{endpoint.Address} is to speak TLS, but there is no certificate.");
            var path = (endpoint.Address as UnixDomainSocketEndPoint)?.ToString();
            var listener = new Socket(endpoint.Address.AddressFamily, SocketType.Stream, path is null ? ProtocolType.Tcp : ProtocolType.Unspecified);
            try
            {
                if (path is not null)
                    File.Delete(path); // of a server that did not end in order
                if (endpoint.Address is IPEndPoint { Address: var address } && address.Equals(IPAddress.IPv6Any))
                    listener.DualMode = true;
                listener.Bind(endpoint.Address);
                listener.Listen(Backlog);
            }
            catch
            {
                listener.Dispose();
                throw;
            }

            _listeners.Add((listener, AcceptAsync(listener, endpoint)));
        }

        _sweeper = _services.Time.CreateTimer(_ => Sweep(), null, SweepInterval, SweepInterval);
    }

    /// <summary>Ends all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested)
            return;
        await _closing.CancelAsync();
        if (_sweeper is not null)
            await _sweeper.DisposeAsync();
        foreach (var (listener, accepting) in _listeners)
        {
            listener.Dispose();
            await accepting;
        }

        foreach (var connection in _connections.Keys)
            connection.Abort();
        await Task.WhenAll(_connections.Values);
        _closing.Dispose();
    }

    private void Sweep()
    {
        foreach (var connection in _connections.Keys)
            connection.EndIfStale();
    }

    private async Task AcceptAsync(Socket listener, LdapEndpoint endpoint)
    {
        await Task.Yield();
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                Serve(await listener.AcceptAsync(_closing.Token), endpoint);
            }
            catch (Exception e) when (_closing.IsCancellationRequested && e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
            catch (SocketException e)
            {
                // The client has gone already, or there are no descriptors left for a while.
                Log.AcceptFailed(_services.Logger, endpoint.Address, e.Message);
                await Task.Delay(AcceptRetry, _services.Time, CancellationToken.None);
            }
        }
    }

    private void Serve(Socket socket, LdapEndpoint endpoint)
    {
        var remote = AddressOf(socket.RemoteEndPoint);
        if (!TryEnter(remote))
        {
            socket.Dispose();
            return;
        }

        LdapConnection connection;
        try
        {
            if (remote is not null)
                socket.NoDelay = true;
            var session = new LdapSession
            {
                HasTickets = _services.HasTickets,
                From = remote?.ToString() ?? "local",
                IsLocal = remote is null || (endpoint.TrustsHost && IPAddress.IsLoopback(remote) && IPAddress.IsLoopback(AddressOf(socket.LocalEndPoint)!)),
            };
            connection = new LdapConnection(_services, socket, endpoint.IsTls, session);
        }
        catch (SocketException)
        {
            socket.Dispose();
            Leave(remote);
            return;
        }

        // Not before it is among the connections does it run, so that it cannot end before.
        var begin = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _connections[connection] = RunAsync(connection, remote, begin.Task);
        begin.SetResult();
    }

    private async Task RunAsync(LdapConnection connection, IPAddress? remote, Task begin)
    {
        await begin;
        try
        {
            await connection.RunAsync();
        }
        finally
        {
            _connections.TryRemove(connection, out _);
            Leave(remote);
        }
    }

    /// <summary>The address; null: a Unix socket.</summary>
    private static IPAddress? AddressOf(EndPoint? endpoint) =>
        (endpoint as IPEndPoint)?.Address is { } address ? address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address : null;

    private bool TryEnter(IPAddress? remote)
    {
        if (_connections.Count >= LdapLimits.ConnectionCount)
        {
            Log.TooMany(_services.Logger, LdapLimits.ConnectionCount);
            return false;
        }

        if (remote is null)
            return true;
        lock (_gate)
        {
            int count = _ofAddress.GetValueOrDefault(remote);
            if (count >= LdapLimits.ConnectionsOfAddressCount)
            {
                Log.TooManyOfAddress(_services.Logger, remote, LdapLimits.ConnectionsOfAddressCount);
                return false;
            }

            _ofAddress[remote] = count + 1;
            return true;
        }
    }

    private void Leave(IPAddress? remote)
    {
        if (remote is null)
            return;
        lock (_gate)
        {
            if (--_ofAddress[remote] == 0)
                _ofAddress.Remove(remote);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "A connection to {Address} could not be taken: {Reason}")]
        public static partial void AcceptFailed(ILogger logger, EndPoint address, string reason);

        [LoggerMessage(2, LogLevel.Warning, "There are {Limit} LDAP connections, the most there can be: another one was refused")]
        public static partial void TooMany(ILogger logger, int limit);

        [LoggerMessage(3, LogLevel.Warning, "{Address} has {Limit} LDAP connections, the most there can be of one address: another one was refused")]
        public static partial void TooManyOfAddress(ILogger logger, IPAddress address, int limit);
    }
}
