using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Candela.Identity.Workloads.Api;

/// <summary>
/// The way from the guests' channels to Kestrel. Whoever holds a micro-VM's channel calls <see cref="ServeAsync"/> for each connection that
/// the guest's socket accepts; Kestrel listens on <see cref="EndPoint"/> (HTTP/2 without TLS: the channel is private), or <see cref="PlainEndPoint"/>. Register it as an
/// <see cref="IConnectionListenerFactory"/>.
/// </summary>
/// <param name="endPoint">Where Kestrel listens to these; null: <see cref="EndPoint"/>.</param>
public sealed class AttestedConnections(EndPoint? endPoint = null) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <summary>Most connections of one container at a time.</summary>
    public const int ContainerConnectionCount = 64;

    private const int WaitingCount = 256;

    private readonly Channel<ConnectionContext> _waiting = Channel.CreateBounded<ConnectionContext>(WaitingCount);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);

    /// <summary>Where Kestrel listens to those that speak HTTP/2.</summary>
    public static EndPoint EndPoint { get; } = new AttestedEndPoint();

    /// <summary>Where it listens to those that speak HTTP/1.1: without TLS nothing but the first bytes tells them apart.</summary>
    public static EndPoint PlainEndPoint { get; } = new AttestedEndPoint();

    private readonly EndPoint _endPoint = endPoint ?? EndPoint;

    /// <summary>Serves one connection; ends when it is closed by either side.</summary>
    /// <param name="container">Id of the container at the other end.</param>
    /// <param name="transport">Bytes from and to it. Completed at the end.</param>
    /// <param name="cancellationToken">Breaks the connection off.</param>
    /// <returns>False: the container has too many connections already, and this one was closed at once.</returns>
    public async Task<bool> ServeAsync(string container, IDuplexPipe transport, CancellationToken cancellationToken)
    {
        if (!TryEnter(container))
        {
            await transport.Input.CompleteAsync();
            await transport.Output.CompleteAsync();
            return false;
        }

        try
        {
            await using var connection = new Connection(container, transport);
            await using var registration = cancellationToken.Register(() => connection.Abort(new ConnectionAbortedException("the guest's channel is closed")));
            await _waiting.Writer.WriteAsync(connection, cancellationToken);
            await connection.Ended;
            return true;
        }
        finally
        {
            Leave(container);
        }
    }

    /// <inheritdoc/>
    public bool CanBind(EndPoint endpoint) => ReferenceEquals(endpoint, _endPoint);

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        CanBind(endpoint) ? ValueTask.FromResult<IConnectionListener>(new Listener(_endPoint, _waiting.Reader)) : throw new NotSupportedException($"{endpoint} is not {_endPoint}");

    private bool TryEnter(string container)
    {
        lock (_gate)
        {
            var count = _counts.GetValueOrDefault(container);
            if (count >= ContainerConnectionCount)
                return false;
            _counts[container] = count + 1;
            return true;
        }
    }

    private void Leave(string container)
    {
        lock (_gate)
        {
            if (--_counts[container] == 0)
                _counts.Remove(container);
        }
    }

    private sealed class AttestedEndPoint : EndPoint
    {
        public override string ToString() => "workloads";
    }

    private sealed class Listener(EndPoint endPoint, ChannelReader<ConnectionContext> waiting) : IConnectionListener
    {
        private readonly CancellationTokenSource _unbound = new();

        public EndPoint EndPoint => endPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(_unbound.Token, cancellationToken);
            try
            {
                return await waiting.ReadAsync(ending.Token);
            }
            catch (OperationCanceledException) when (_unbound.IsCancellationRequested)
            {
                return null;
            }
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default) => await _unbound.CancelAsync();

        public ValueTask DisposeAsync()
        {
            _unbound.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Connection : ConnectionContext, IAttestedConnection
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly CancellationTokenSource _closed = new();
        private readonly FeatureCollection _features = new();

        public Connection(string container, IDuplexPipe transport)
        {
            Container = container;
            Transport = transport;
            ConnectionClosed = _closed.Token;
            _features.Set<IAttestedConnection>(this);
        }

        public string Container { get; }

        public Task Ended => _ended.Task;

        public override string ConnectionId { get; set; } = Guid.NewGuid().ToString("N");

        public override IFeatureCollection Features => _features;

        public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

        public override IDuplexPipe Transport { get; set; }

        public override void Abort(ConnectionAbortedException abortReason)
        {
            _closed.Cancel();
            try
            {
                // Kestrel wakes from what it waits for, and sees that the connection is closed.
                Transport.Input.CancelPendingRead();
                Transport.Output.CancelPendingFlush();
            }
            catch (ObjectDisposedException)
            {
                // It is closing already, and has completed the pipes.
            }
        }

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            if (_ended.Task.IsCompleted)
                return;
            try
            {
                await Transport.Input.CompleteAsync();
                await Transport.Output.CompleteAsync();
            }
            catch (IOException)
            {
                // The other side is gone: what was to be sent yet goes nowhere.
            }
            finally
            {
                await _closed.CancelAsync();
                _ended.TrySetResult();
            }
        }
    }
}
