using System.Security.Cryptography;
using System.Text;
using Candela.Guest.Protocol.Host;

namespace Candela.Microvisor.Tests.Qemu;

/// <summary>The host's end of a real guest's agent: starts process 1 and collects what it prints.</summary>
internal sealed class GuestSession : IAgentEvents, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly StringBuilder _output = new();
    private readonly TaskCompletionSource<ProcessExit> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private GuestSession()
    {
    }

    public IAgent Agent { get; private set; } = null!;

    public string Output
    {
        get
        {
            lock (_gate)
                return _output.ToString();
        }
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Connects to a clone that nobody has spoken to.</summary>
    public static async Task<GuestSession> OpenAsync(IMicroVm vm, bool mayBeTorn = false) => await OpenAsync(await vm.ConnectAgentAsync(Token), mayBeTorn);

    /// <summary>The same with a connection that is there.</summary>
    public static async Task<GuestSession> OpenAsync(Stream stream, bool mayBeTorn = false)
    {
        var session = new GuestSession();
        session.Agent = await AgentConnection.ConnectAsync(stream, session, mayBeTorn, Token);
        return session;
    }

    /// <summary>Connects to a fork or an adopted VM and goes on with process 1's output from where it is.</summary>
    public static async Task<GuestSession> ResumeAsync(IMicroVm vm, GuestIdentity? identity = null)
    {
        GuestSession session = await OpenAsync(vm, mayBeTorn: true);
        if (identity is not null)
            await session.Agent.ReidentifyAsync(identity, Token);
        GuestProcessStatus main = Assert.Single(await session.Agent.ListAsync(Token));
        await session.Agent.ResumeOutputAsync(1, OutputStream.Stdout, main.Stdout.Next, Token);
        return session;
    }

    /// <summary>Runs a shell script as process 1.</summary>
    public static async Task<GuestSession> RunAsync(IMicroVm vm, string script, string hostname = "guest")
    {
        GuestSession session = await OpenAsync(vm);
        await session.StartAsync(script, hostname);
        return session;
    }

    public static GuestIdentity NewIdentity(string hostname) => new()
    {
        Entropy = RandomNumberGenerator.GetBytes(64),
        WallClockNanoseconds = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000_000,
        Hostname = hostname,
        MachineId = Guid.NewGuid().ToString("N"),
    };

    public Task StartAsync(string script, string hostname)
    {
        var process = new GuestProcess { Arguments = ["/bin/sh", "-c", script], Environment = ["PATH=/bin"] };
        return Agent.ConfigureAndStartAsync(new GuestConfiguration { Identity = NewIdentity(hostname) }, process, Token);
    }

    /// <summary>Waits until the output satisfies a condition, and returns it.</summary>
    public async Task<string> UntilAsync(Func<string, bool> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(Patience);
        while (true)
        {
            Task changed = _changed.Task;
            string output = Output;
            if (condition(output))
                return output;
            try
            {
                await changed.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException) when (!Token.IsCancellationRequested)
            {
                Assert.Fail($"the guest's output is not as expected: {output}");
            }
        }
    }

    /// <summary>Waits for the end of process 1, which must succeed, and returns all that it printed.</summary>
    public async Task<string> EndAsync()
    {
        ProcessExit exit = await _exit.Task.WaitAsync(Patience, Token);
        Assert.True(exit.Code == 0, $"exit code {exit.Code}: {Output}");
        return await UntilAsync(o => o.EndsWith('\n'));
    }

    public ValueTask OnOutputAsync(uint process, OutputStream stream, ulong position, ReadOnlyMemory<byte> data)
    {
        Agent?.Acknowledge(process, stream, position + (ulong)data.Length);
        lock (_gate)
        {
            _output.Append(Encoding.UTF8.GetString(data.Span));
            _changed.SetResult();
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask OnExitAsync(uint process, ProcessExit exit)
    {
        _exit.TrySetResult(exit);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => Agent.DisposeAsync();
}
