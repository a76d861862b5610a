using System.Text;
using Candela.Guest.Protocol.Host;
using Candela.Machine.Logs;
using Candela.Model;

namespace Candela.Machine.Tests.Logs;

public sealed class ContainerLogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_line_a_record_whatever_the_chunks_are()
    {
        using ContainerLog log = Open();
        log.BeginRun(0, 0);
        Append(log, OutputStream.Stdout, "one\ntw");
        Append(log, OutputStream.Stderr, "err\n");
        Append(log, OutputStream.Stdout, "o\nthree");
        log.Flush();

        Assert.Equal(["out:one\n", "err:err\n", "out:two\n", "out:three"], await ReadAsync(log, new LogOptions()));
    }

    [Fact]
    public async Task A_line_longer_than_the_limit_is_cut_and_loses_nothing()
    {
        using ContainerLog log = Open();
        log.BeginRun(0, 0);
        string text = new string('a', LogRecord.PayloadBytesMaximum * 2 + 5) + "\n";
        Append(log, OutputStream.Stdout, text[..10]);
        Append(log, OutputStream.Stdout, text[10..]);

        string[] entries = await ReadAsync(log, new LogOptions());
        Assert.Equal(3, entries.Length);
        Assert.Equal(text, string.Concat(entries.Select(e => e[4..])));
    }

    [Fact]
    public void Only_whole_lines_count_as_persisted_and_the_position_survives_a_reopen()
    {
        using (ContainerLog log = Open())
        {
            log.BeginRun(100, 7);
            Append(log, OutputStream.Stdout, "whole\npart");
            Append(log, OutputStream.Stderr, "e\n");
            Assert.Equal(106ul, log.Persisted(OutputStream.Stdout));
        }

        using ContainerLog again = Open();
        Assert.Equal(106ul, again.Persisted(OutputStream.Stdout));
        Assert.Equal(9ul, again.Persisted(OutputStream.Stderr));
    }

    [Fact]
    public async Task Full_files_are_kept_up_to_a_count_and_read_as_one()
    {
        using ContainerLog log = Open();
        log.Keep(new LogLimits(Keeps: true, FileBytes: 100, FileCount: 3));
        log.BeginRun(0, 0);
        for (int i = 0; i < 20; i++)
            Append(log, OutputStream.Stdout, $"line {i:00}\n");

        string[] all = await ReadAsync(log, new LogOptions());
        Assert.Equal(all, Enumerable.Range(20 - all.Length, all.Length).Select(i => $"out:line {i:00}\n"));
        Assert.InRange(all.Length, 5, 10);
        Assert.Equal(["out:line 19\n"], await ReadAsync(log, new LogOptions { Tail = 1 }));
        Assert.Equal(all[^5..], await ReadAsync(log, new LogOptions { Tail = 5 }));
        Assert.Equal(all, await ReadAsync(log, new LogOptions { Tail = 100 }));
        Assert.Equal(3, Directory.EnumerateFiles(_folder.Path).Count());
        Assert.Equal(160ul, log.Persisted(OutputStream.Stdout));
    }

    [Fact]
    public async Task Who_follows_reads_on_in_the_next_file()
    {
        using ContainerLog log = Open();
        log.Keep(new LogLimits(Keeps: true, FileBytes: 50, FileCount: 2));
        log.BeginRun(0, 0);
        bool ended = false;
        var read = new List<string>();
        Append(log, OutputStream.Stdout, "0\n");
        await foreach (LogEntry entry in log.ReadAsync(new LogOptions { Follow = true }, () => ended, TestContext.Current.CancellationToken))
        {
            read.Add(Encoding.UTF8.GetString(entry.Line.Span));
            if (read.Count < 10)
            {
                Append(log, OutputStream.Stdout, $"{read.Count}\n");
                continue;
            }

            ended = true;
            log.Wake();
        }

        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i}\n"), read);
    }

    [Fact]
    public void Positions_survive_an_end_between_two_files()
    {
        using (ContainerLog log = Open())
        {
            log.BeginRun(0, 0);
            Append(log, OutputStream.Stdout, "whole\n");
        }

        File.Move(Path.Combine(_folder.Path, "log"), Path.Combine(_folder.Path, "log.1"));
        using ContainerLog again = Open();
        Assert.Equal(6ul, again.Persisted(OutputStream.Stdout));
    }

    [Fact]
    public async Task Where_nothing_is_kept_the_positions_are()
    {
        using (ContainerLog log = Open())
        {
            log.Keep(new LogLimits(Keeps: false, 0, 1));
            log.BeginRun(0, 0);
            for (int i = 0; i < 100; i++)
                Append(log, OutputStream.Stdout, "line\n");
            Assert.Empty(await ReadAsync(log, new LogOptions()));
            Assert.InRange(new FileInfo(Path.Combine(_folder.Path, "log")).Length, 1, 100);
        }

        using ContainerLog again = Open();
        Assert.Equal(500ul, again.Persisted(OutputStream.Stdout));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(40)]
    public async Task A_record_torn_by_a_death_of_the_daemon_is_cut_off(int tornBytes)
    {
        using (ContainerLog log = Open())
        {
            log.BeginRun(0, 0);
            Append(log, OutputStream.Stdout, "first\n");
            Append(log, OutputStream.Stdout, "second\n");
        }

        using (FileStream file = File.OpenWrite(_folder.File("log")))
            file.SetLength(file.Length - tornBytes);

        using ContainerLog again = Open();
        Assert.Equal(6ul, again.Persisted(OutputStream.Stdout));
        Append(again, OutputStream.Stdout, "second\n");
        Assert.Equal(["out:first\n", "out:second\n"], await ReadAsync(again, new LogOptions()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    [InlineData(5000)]
    public async Task Tail_gives_the_last_lines(int tail)
    {
        using ContainerLog log = Open();
        log.BeginRun(0, 0);
        string[] all = [.. Enumerable.Range(0, 2000).Select(i => $"line {i}\n")];
        foreach (string line in all)
            Append(log, OutputStream.Stdout, line);

        string[] entries = await ReadAsync(log, new LogOptions { Tail = tail });
        Assert.Equal(all.TakeLast(tail).Select(l => "out:" + l), entries);
    }

    [Fact]
    public async Task Tail_counts_an_unfinished_last_line_and_wanted_streams_only()
    {
        using ContainerLog log = Open();
        log.BeginRun(0, 0);
        Append(log, OutputStream.Stdout, "a\nb\n");
        Append(log, OutputStream.Stderr, "x\ny\n");
        Append(log, OutputStream.Stdout, "c");
        log.Flush();

        Assert.Equal(["out:b\n", "out:c"], await ReadAsync(log, new LogOptions { Tail = 2, Stderr = false }));
    }

    [Fact]
    public async Task Following_sees_what_comes_and_ends_with_the_run()
    {
        using ContainerLog log = Open();
        log.BeginRun(0, 0);
        Append(log, OutputStream.Stdout, "before\n");
        bool ended = false;
        await using IAsyncEnumerator<LogEntry> entries = log.ReadAsync(new LogOptions { Follow = true }, () => ended, TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await entries.MoveNextAsync());

        Task<bool> next = entries.MoveNextAsync().AsTask();
        Assert.False(next.IsCompleted);
        Append(log, OutputStream.Stdout, "after\n");
        Assert.True(await next);
        Assert.Equal("after\n", Encoding.UTF8.GetString(entries.Current.Line.Span));

        next = entries.MoveNextAsync().AsTask();
        ended = true;
        log.Wake();
        Assert.False(await next);
    }

    [Fact]
    public async Task Random_output_comes_back_byte_for_byte()
    {
        var random = new Random(7);
        byte[] sent = new byte[300_000];
        random.NextBytes(sent);
        using ContainerLog log = Open();
        log.BeginRun(0, 0);
        for (int at = 0; at < sent.Length;)
        {
            int take = Math.Min(random.Next(1, 70_000), sent.Length - at);
            log.Append(OutputStream.Stdout, sent.AsSpan(at, take));
            at += take;
        }

        log.Flush();
        var received = new MemoryStream();
        await foreach (LogEntry entry in log.ReadAsync(new LogOptions(), () => true, TestContext.Current.CancellationToken))
            received.Write(entry.Line.Span);
        Assert.Equal(sent, received.ToArray());
        Assert.Equal((ulong)sent.Length, log.Persisted(OutputStream.Stdout));
    }

    private static void Append(ContainerLog log, OutputStream stream, string text) => log.Append(stream, Encoding.UTF8.GetBytes(text));

    private static async Task<string[]> ReadAsync(ContainerLog log, LogOptions options)
    {
        var entries = new List<string>();
        await foreach (LogEntry entry in log.ReadAsync(options, () => true, TestContext.Current.CancellationToken))
            entries.Add((entry.IsStderr ? "err:" : "out:") + Encoding.UTF8.GetString(entry.Line.Span));
        return [.. entries];
    }

    private ContainerLog Open() => new(_folder.File("log"), TimeProvider.System);
}
