using System.Text;
using Candela.Machine.Files;
using Candela.Microvisor.Simulated;
using Candela.Guest.Protocol.Host;
using Candela.Model;

namespace Candela.Machine.Tests.Runs;

/// <summary>Files of containers that do not run: a micro-VM comes for them and goes.</summary>
public sealed class StoppedFilesTests : IAsyncLifetime
{
    private MachineFixture _fixture = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private LocalMachine Machine => _fixture.Machine;

    public async ValueTask InitializeAsync() => _fixture = await MachineFixture.OpenAsync();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task A_container_that_never_ran_has_files()
    {
        Container container = MachineFixture.NewContainer("wait");
        var tar = new MemoryStream();

        await Machine.ReadArchiveAsync(container, "/file", _ => Task.FromResult<Stream>(tar), Token);
        IReadOnlyList<FileChange> changes = await Machine.ReadChangesAsync(container, Token);

        Assert.Equal("tar", Encoding.ASCII.GetString(tar.ToArray()));
        Assert.Equal([("/a", FileChangeKind.Modified), ("/a/x", FileChangeKind.Added), ("/a-b", FileChangeKind.Added), ("/b", FileChangeKind.Deleted)], changes.Select(c => (c.Path, c.Kind)));
        _fixture.AssertNothingRuns();
    }

    [Fact]
    public async Task It_starts_after_its_files_were_read()
    {
        Container container = MachineFixture.NewContainer("echo", "hello");
        var reading = new TaskCompletionSource<Stream>();
        var begun = new TaskCompletionSource();
        Task export = Machine.ExportAsync(container, () =>
        {
            begun.SetResult();
            return reading.Task;
        }, Token);
        await begun.Task.WaitAsync(Token);

        Task<StartedContainer> start = Machine.StartAsync(container, Token);
        Assert.False(start.IsCompleted);
        reading.SetResult(new MemoryStream());
        await export;
        await start;

        Assert.Equal(0, (await _fixture.ExitAsync(container)).Code);
        await Machine.RemoveAsync(container.Id, Token);
        _fixture.AssertNothingRuns();
    }

    [Fact]
    public async Task A_guest_that_does_not_answer_leaves_nothing()
    {
        _fixture.StartTimeout = TimeSpan.FromSeconds(1);
        await _fixture.RestartAsync([]);
        _fixture.Host.Faults.Guest = _ => GuestBehaviour.Silent;

        CandelaException failure = await Assert.ThrowsAsync<CandelaException>(() => Machine.ReadChangesAsync(MachineFixture.NewContainer("wait"), Token));

        Assert.Equal(ErrorCode.DeadlineExceeded, failure.Code);
        _fixture.AssertNothingRuns();
    }

    [Theory]
    [InlineData("X/path\0")]
    [InlineData("A\0")]
    [InlineData("Apath\0")]
    [InlineData("A/cut off")]
    public async Task A_list_of_changes_that_is_none_is_refused(string records)
    {
        await using var list = new ChangeList();
        Assert.Throws<AgentProtocolException>(() =>
        {
            list.Write(Encoding.UTF8.GetBytes(records));
            list.Sorted();
        });
    }

    [Fact]
    public async Task A_record_without_an_end_is_not_kept()
    {
        await using var list = new ChangeList();
        Assert.Throws<AgentProtocolException>(() => list.Write(new byte[10_000].Select(_ => (byte)'a').ToArray()));
    }

    [Fact]
    public async Task A_read_only_root_takes_no_files()
    {
        Container container = MachineFixture.NewContainer("wait");
        container = container with { Spec = container.Spec with { ReadOnlyRootfs = true } };

        CandelaException failure = await Assert.ThrowsAsync<CandelaException>(() => Machine.WriteArchiveAsync(container, "/", Stream.Null, false, Token));

        Assert.Contains("read-only", failure.Message, StringComparison.Ordinal);
    }
}
