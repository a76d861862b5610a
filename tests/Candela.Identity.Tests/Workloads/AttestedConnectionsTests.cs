using System.IO.Pipelines;
using Candela.Identity.Workloads.Api;
using Microsoft.AspNetCore.Connections;

namespace Candela.Identity.Tests.Workloads;

public sealed class AttestedConnectionsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_connection_says_which_container_it_comes_from()
    {
        var connections = new AttestedConnections();
        await using var listener = await connections.BindAsync(AttestedConnections.EndPoint, Token);
        var serving = connections.ServeAsync("c1", new Duplex(), Token);
        var connection = (await listener.AcceptAsync(Token))!;
        Assert.Equal("c1", connection.Features.Get<IAttestedConnection>()!.Container);
        Assert.False(serving.IsCompleted);
        await connection.DisposeAsync();
        Assert.True(await serving);
    }

    [Fact]
    public async Task A_closed_channel_breaks_the_connection_off()
    {
        var connections = new AttestedConnections();
        await using var listener = await connections.BindAsync(AttestedConnections.EndPoint, Token);
        using var channel = new CancellationTokenSource();
        var serving = connections.ServeAsync("c1", new Duplex(), channel.Token);
        var connection = (await listener.AcceptAsync(Token))!;
        var reading = connection.Transport.Input.ReadAsync(Token);
        await channel.CancelAsync();
        Assert.True((await reading).IsCanceled);
        Assert.True(connection.ConnectionClosed.IsCancellationRequested);
        await connection.DisposeAsync();
        await serving;
    }

    [Fact]
    public async Task One_container_cannot_take_all_connections()
    {
        var connections = new AttestedConnections();
        await using var listener = await connections.BindAsync(AttestedConnections.EndPoint, Token);
        var serving = new List<Task<bool>>();
        var accepted = new List<ConnectionContext>();
        for (var i = 0; i < AttestedConnections.ContainerConnectionCount; i++)
        {
            serving.Add(connections.ServeAsync("c1", new Duplex(), Token));
            accepted.Add((await listener.AcceptAsync(Token))!);
        }

        Assert.False(await connections.ServeAsync("c1", new Duplex(), Token));
        serving.Add(connections.ServeAsync("c2", new Duplex(), Token));
        accepted.Add((await listener.AcceptAsync(Token))!);
        foreach (var connection in accepted)
            await connection.DisposeAsync();
        Assert.All(await Task.WhenAll(serving), Assert.True);
        var again = connections.ServeAsync("c1", new Duplex(), Token);
        await (await listener.AcceptAsync(Token))!.DisposeAsync();
        Assert.True(await again);
    }

    [Fact]
    public async Task Unbinding_ends_accepting()
    {
        var connections = new AttestedConnections();
        await using var listener = await connections.BindAsync(AttestedConnections.EndPoint, Token);
        var accepting = listener.AcceptAsync(Token);
        await listener.UnbindAsync(Token);
        Assert.Null(await accepting);
    }

    private sealed class Duplex : IDuplexPipe
    {
        private readonly Pipe _in = new();
        private readonly Pipe _out = new();

        public PipeReader Input => _in.Reader;

        public PipeWriter Output => _out.Writer;
    }
}
