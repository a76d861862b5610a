using Candela.Guest.Protocol.Host;
using Candela.Guest.Statistics;
using Candela.Guest.Tests.Files;

namespace Candela.Guest.Tests.Statistics;

public sealed class StatisticsReaderTests : IDisposable
{
    private readonly ContainerTree _tree = new();
    private readonly StatisticsReader _reader;

    public StatisticsReaderTests()
    {
        _tree.File("cgroup/cpu.stat", "usage_usec 5000\nuser_usec 3000\nsystem_usec 2000\nnr_periods 0\n");
        _tree.File("cgroup/memory.current", "1000\n");
        _tree.File("cgroup/memory.max", "max\n");
        _tree.File("cgroup/memory.stat", "anon 111\nfile 222\ninactive_anon 5\ninactive_file 333\n");
        _tree.File("cgroup/memory.events", "low 0\nhigh 0\nmax 4\noom 3\noom_kill 2\noom_group_kill 0\n");
        _tree.File("cgroup/io.stat", "254:0 rbytes=100 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n254:16 rbytes=11 wbytes=22 rios=1 wios=0 dbytes=0 dios=0\n8:0 \n");
        _tree.File("cgroup/pids.current", "7\n");
        _tree.File("proc/stat", "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 1 1 1 1 1 1 1 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\nintr 5\nbtime 1700000000\n");
        _tree.File("proc/meminfo", "MemTotal:       2048 kB\nMemFree: 1 kB\n");
        _reader = new StatisticsReader(_tree.Path("cgroup"), _tree.Path("proc"));
    }

    public void Dispose() => _tree.Dispose();

    [Fact]
    public void Reads_every_figure()
    {
        Assert.Equal(
            new GuestStatistics
            {
                CpuTotalNanoseconds = 5_000_000,
                CpuUserNanoseconds = 3_000_000,
                CpuSystemNanoseconds = 2_000_000,
                SystemTotalNanoseconds = 28 * 10_000_000L,
                OnlineCpus = 2,
                MemoryBytes = 1000,
                MemoryPeakBytes = 1000,
                MemoryInactiveFileBytes = 333,
                MemoryAnonymousBytes = 111,
                MemoryLimitBytes = 2048 * 1024,
                ReadBytes = 111,
                WriteBytes = 22,
                Pids = 7,
                OomKills = 2,
            },
            _reader.Read());
    }

    [Fact]
    public void Remembers_the_peak_where_the_kernel_does_not()
    {
        _reader.Read();
        _tree.File("cgroup/memory.current", "400\n");
        Assert.Equal((400L, 1000L), (_reader.Read().MemoryBytes, _reader.Read().MemoryPeakBytes));

        _tree.File("cgroup/memory.peak", "1500\n");
        Assert.Equal(1500, _reader.Read().MemoryPeakBytes);
    }

    [Fact]
    public void The_limit_is_the_smaller_of_cgroup_and_memory()
    {
        _tree.File("cgroup/memory.max", "1048576\n");
        Assert.Equal(1_048_576, _reader.Read().MemoryLimitBytes);

        _tree.File("cgroup/memory.max", "9000000000\n");
        Assert.Equal(2048 * 1024, _reader.Read().MemoryLimitBytes);
    }

    [Fact]
    public void Missing_files_are_zeros() =>
        Assert.Equal(new GuestStatistics(), new StatisticsReader(_tree.Path("none"), _tree.Path("none")).Read());
}
