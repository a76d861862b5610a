using System.Globalization;
using Candela.Guest.Protocol.Host;
using Candela.Guest.Statistics;
using Candela.Guest.Tests.Files;

namespace Candela.Guest.Tests.Statistics;

public sealed class ProcessListerTests : IDisposable
{
    private readonly ContainerTree _tree = new();

    public ProcessListerTests()
    {
        _tree.File("proc/stat", "cpu  1 2 3\nbtime 1700000000\n");
        Process(1, "1", 0, "agent", "/init");
        _tree.File("cgroup/cgroup.procs", "102\n101\n");
        _tree.File("cgroup/child/cgroup.procs", "103\n");
        Process(101, "101\t1", 1, "sh", "/bin/sh\0-c\0sleep 5\0", terminal: 34816 + 3, ticks: 250, start: 1234);
        Process(102, "102\t7", 101, "a) b (c", "", user: 1000);
        Process(103, "103\t9\t1", 102, "inner", "inner\0");
    }

    public void Dispose() => _tree.Dispose();

    [Fact]
    public void Lists_the_containers_processes_with_the_pids_they_have_there()
    {
        Assert.Equal(
            [
                new GuestProcessEntry(1, 0, 0, 1_700_000_012, 2_500_000_000, "pts/3", "/bin/sh -c sleep 5"),
                new GuestProcessEntry(7, 1, 1000, 1_700_000_000, 0, "?", "[a) b (c]"),
                new GuestProcessEntry(9, 7, 0, 1_700_000_000, 0, "?", "inner"),
            ],
            List());
    }

    [Fact]
    public void Leaves_out_a_process_that_ends_meanwhile()
    {
        Directory.Delete(_tree.Path("proc/102"), recursive: true);

        Assert.Equal([1, 9], List().Select(entry => entry.Pid));
    }

    [Fact]
    public void Long_command_lines_are_cut_and_fit_a_message_together()
    {
        for (int pid = 1000; pid < 1400; pid++)
            Process(pid, $"{pid}\t{pid}", 1, "long", new string('x', 10_000));
        _tree.File("cgroup/cgroup.procs", string.Concat(Enumerable.Range(1000, 400).Select(pid => $"{pid}\n")));

        IReadOnlyList<GuestProcessEntry> entries = List();

        Assert.Equal(401, entries.Count);
        Assert.Equal(4096, entries.First(entry => entry.Pid == 1000).Command.Length);
        Assert.Equal("[long]", entries[^1].Command);
        Assert.InRange(entries.Sum(entry => entry.Command.Length), 1_000_000, 1_100_000);
    }

    [Fact]
    public void Reads_the_files_of_a_real_process()
    {
        _tree.File("cgroup/cgroup.procs", $"{Environment.ProcessId}\n");
        Directory.Delete(_tree.Path("cgroup/child"), recursive: true);

        GuestProcessEntry entry = Assert.Single(new ProcessLister(_tree.Path("cgroup")).List());

        Assert.Contains("Candela.Guest.Tests", entry.Command, StringComparison.Ordinal);
        Assert.InRange(DateTimeOffset.FromUnixTimeSeconds(entry.StartTimeSeconds), DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddMinutes(1));
        Assert.InRange(entry.CpuTime, 1, 3600L * 1_000_000_000);
    }

    private IReadOnlyList<GuestProcessEntry> List() => new ProcessLister(_tree.Path("cgroup"), _tree.Path("proc")).List();

    private void Process(int pid, string namespaced, int parent, string name, string command, int user = 0, int terminal = 0, int ticks = 0, int start = 0)
    {
        _tree.File($"proc/{pid}/status", $"Name:\t{name}\nState:\tS (sleeping)\nPid:\t{pid}\nPPid:\t{parent}\nUid:\t{user}\t0\t0\t0\nNSpid:\t{namespaced}\n");
        _tree.File($"proc/{pid}/cmdline", command);
        string[] fields = [.. Enumerable.Repeat("0", 50)];
        fields[0] = "S";
        fields[4] = terminal.ToString(CultureInfo.InvariantCulture);
        fields[11] = ticks.ToString(CultureInfo.InvariantCulture);
        fields[19] = start.ToString(CultureInfo.InvariantCulture);
        _tree.File($"proc/{pid}/stat", $"{pid} ({name}) {string.Join(' ', fields)}\n");
    }
}
