using System.Text;
using Candela.Guest.Protocol.Host;
using Candela.Machine.Logs;
using Candela.Machine.Streams;
using Candela.Model;

namespace Candela.Machine.Tests.Streams;

public sealed class ProcessOutputTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<(OutputStream Stream, ulong Position)> _acknowledged = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Without_readers_what_is_logged_is_acknowledged()
    {
        using ContainerLog log = OpenLog();
        ProcessOutput output = NewOutput(log);
        Send(output, 0, "line\npart");
        Assert.Equal([(OutputStream.Stdout, 5ul)], _acknowledged);
    }

    [Fact]
    public async Task A_slow_session_holds_the_acknowledgement_back_until_it_reads()
    {
        using ContainerLog log = OpenLog();
        ProcessOutput output = NewOutput(log);
        await using ProcessSession session = NewSession(output);
        Send(output, 0, "one\n");
        Send(output, 4, "two\n");
        Assert.Empty(_acknowledged);

        await using IAsyncEnumerator<OutputChunk> chunks = session.ReadOutputAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await chunks.MoveNextAsync());
        Assert.Empty(_acknowledged);
        Assert.True(await chunks.MoveNextAsync());
        Assert.Equal([(OutputStream.Stdout, 4ul)], _acknowledged);
    }

    [Fact]
    public async Task A_session_that_leaves_no_longer_holds_anything_back()
    {
        using ContainerLog log = OpenLog();
        ProcessOutput output = NewOutput(log);
        ProcessSession session = NewSession(output);
        Send(output, 0, "one\n");
        Assert.Empty(_acknowledged);
        await session.DisposeAsync();
        Assert.Equal([(OutputStream.Stdout, 4ul)], _acknowledged);
    }

    [Fact]
    public async Task Output_sent_again_after_a_reconnect_is_taken_once()
    {
        using ContainerLog log = OpenLog();
        ProcessOutput output = NewOutput(log);
        await using ProcessSession session = NewSession(output);
        Send(output, 0, "one\n");
        Send(output, 0, "one\n");
        Send(output, 2, "e\ntwo\n");
        output.Complete();
        Assert.Equal("one\ntwo\n", await ReadAllAsync(session));
        Assert.Equal(8ul, log.Persisted(OutputStream.Stdout));
    }

    [Fact]
    public void Ends_when_both_streams_have_ended_and_flushes_the_last_line()
    {
        using ContainerLog log = OpenLog();
        ProcessOutput output = NewOutput(log);
        Send(output, 0, "no newline");
        output.OnOutput(OutputStream.Stdout, 10, default);
        Assert.False(output.Ended.IsCompleted);
        output.OnOutput(OutputStream.Stderr, 0, default);
        Assert.True(output.Ended.IsCompleted);
        Assert.Equal(10ul, log.Persisted(OutputStream.Stdout));
    }

    [Fact]
    public void A_terminal_has_one_stream_only()
    {
        var output = new ProcessOutput(log: null, tty: true, (_, _) => { });
        output.OnOutput(OutputStream.Stdout, 0, default);
        Assert.True(output.Ended.IsCompleted);
    }

    private static void Send(ProcessOutput output, ulong position, string text) => output.OnOutput(OutputStream.Stdout, position, Encoding.UTF8.GetBytes(text));

    private static async Task<string> ReadAllAsync(ProcessSession session)
    {
        var text = new StringBuilder();
        await foreach (OutputChunk chunk in session.ReadOutputAsync(TestContext.Current.CancellationToken))
            text.Append(Encoding.UTF8.GetString(chunk.Data.Span));
        return text.ToString();
    }

    private static ProcessSession NewSession(ProcessOutput output)
    {
        var session = new ProcessSession(tty: false, new AttachOptions(), closesInput: false, history: null);
        session.Bind(output, new NoInput());
        return session;
    }

    private ProcessOutput NewOutput(ContainerLog log) => new(log, tty: false, (stream, position) => _acknowledged.Add((stream, position)));

    private ContainerLog OpenLog()
    {
        var log = new ContainerLog(_folder.File("log"), TimeProvider.System);
        log.BeginRun(0, 0);
        return log;
    }

    private sealed class NoInput : IProcessInput
    {
        public ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask CloseAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
