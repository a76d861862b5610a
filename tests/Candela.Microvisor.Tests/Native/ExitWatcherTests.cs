using System.Diagnostics;
using System.Globalization;
using Candela.Microvisor.Native;
using Candela.Tests.Shared;
using Microsoft.Win32.SafeHandles;

namespace Candela.Microvisor.Tests.Native;

public sealed class ExitWatcherTests
{
    [Fact]
    public async Task Tells_how_an_orphan_ended()
    {
        using var folder = new TemporaryFolder();
        using var watcher = new ExitWatcher();
        using SafeFileHandle none = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite);
        var descriptors = new Dictionary<int, SafeFileHandle> { [0] = none, [1] = none, [2] = none };
        ChildProcess.Run("/bin/sh", ["sh", "-c", $"sleep 1000 & echo $! > {folder.File("pid")}"], descriptors);
        using SafeFileHandle pidfd = ExitWatcher.Open(int.Parse(File.ReadAllText(folder.File("pid")), CultureInfo.InvariantCulture))!;
        Task<string> ended = watcher.WatchAsync(pidfd);

        ExitWatcher.Signal(pidfd, Libc.SIGKILL);

        Assert.Equal("signal 9", await ended.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_closed_handle_signals_nobody_else()
    {
        using Process bystander = Process.Start("/bin/sleep", "1000");
        SafeFileHandle closed = ExitWatcher.Open(bystander.Id)!;
        int number = closed.Number();
        closed.Dispose();
        var others = new List<SafeFileHandle>();
        do
            others.Add(ExitWatcher.Open(bystander.Id)!);
        while (others[^1].Number() != number && others.Count < 64);

        ExitWatcher.Signal(closed, Libc.SIGKILL);

        Assert.False(bystander.WaitForExit(100));
        bystander.Kill();
        await bystander.WaitForExitAsync(TestContext.Current.CancellationToken);
        others.ForEach(o => o.Dispose());
    }
}
