using System.Globalization;
using Candela.Microvisor.Native;
using Candela.Tests.Shared;
using Microsoft.Win32.SafeHandles;

namespace Candela.Microvisor.Tests.Qemu;

/// <summary>What code in a VMM process can do: a shell takes QEMU's place in the jail that every VMM gets.</summary>
public sealed class JailTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Runs_as_its_own_user_without_capabilities()
    {
        string status = await RunAsync("busybox id -u; busybox id -G; busybox grep -E '^(Cap|NoNewPrivs)' /proc/self/status");

        Assert.StartsWith("1610612737\n1610612737\n", status, StringComparison.Ordinal);
        Assert.Contains("NoNewPrivs:\t1", status, StringComparison.Ordinal);
        Assert.All(status.Split('\n').Where(l => l.StartsWith("Cap", StringComparison.Ordinal)), l => Assert.EndsWith("0000000000000000", l, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Sees_no_file_of_the_host_but_its_libraries()
    {
        File.WriteAllText(_folder.File("disk-of-another"), "secret");

        string seen = await RunAsync($"busybox ls -A / /etc /dev /usr; busybox cat {_folder.File("disk-of-another")} /etc/shadow /etc/passwd");

        Assert.DoesNotContain("secret", seen, StringComparison.Ordinal);
        Assert.DoesNotContain("root:", seen, StringComparison.Ordinal);
        string[] names = [.. seen.Split('\n').Where(l => !l.StartsWith("cat:", StringComparison.Ordinal) && l.Length > 0 && !l.EndsWith(':')).Distinct()];
        Assert.Empty(names.Except(["bin", "dev", "etc", "lib", "lib64", "proc", "usr", "null", "urandom", "ld.so.cache", "share", "THE END"]));
    }

    [Fact]
    public async Task Cannot_write_anywhere()
    {
        string result = await RunAsync("for d in / /etc /dev /bin /proc /usr/lib/x86_64-linux-gnu; do busybox touch $d/x && echo wrote $d; done; busybox mount -t tmpfs x /etc && echo mounted");

        Assert.DoesNotContain("wrote", result, StringComparison.Ordinal);
        Assert.DoesNotContain("mounted", result, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Neither_sees_nor_signals_another_process()
    {
        using SafeFileHandle self = ExitWatcher.Open(Environment.ProcessId)!;

        string result = await RunAsync($"echo $$; busybox ls /proc | busybox grep -E '^[0-9]+$' | busybox wc -l; kill -0 {Environment.ProcessId} && echo signalled; kill -9 -1; echo alive");

        string[] lines = result.Split('\n');
        Assert.Equal("1", lines[0]); // process 1 of a pid namespace of its own
        Assert.InRange(int.Parse(lines[1], CultureInfo.InvariantCulture), 1, 4);
        Assert.DoesNotContain("signalled", result, StringComparison.Ordinal);
        Assert.Contains("alive", result, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Has_no_network_and_no_memory_of_others()
    {
        string result = await RunAsync($"busybox ifconfig -a; busybox ls /proc/net/; busybox cat /proc/{Environment.ProcessId}/environ && echo read");

        Assert.DoesNotContain("eth", result, StringComparison.Ordinal);
        Assert.DoesNotContain("read\n", result, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Says_what_is_wrong_with_its_arguments()
    {
        (int code, string output) = await JailAsync(["--uid", "x", "--", "/bin/busybox"]);

        Assert.Equal(1, code);
        Assert.Contains("candela-jailer: not a number", output, StringComparison.Ordinal);
    }

    private async Task<string> RunAsync(string script)
    {
        Directory.CreateDirectory(_folder.File("root"));
        (int code, string output) = await JailAsync(["--root", _folder.File("root"), "--uid", "1610612737", "--report", "3", "--", "/bin/busybox", "sh", "-c", script + "; echo THE END"]);
        Assert.True(code == 0, output);
        using var watcher = new ExitWatcher();
        using SafeFileHandle? jailed = ExitWatcher.Open(int.Parse(File.ReadAllText(_folder.File("report")), CultureInfo.InvariantCulture));
        if (jailed is not null)
            await watcher.WatchAsync(jailed).WaitAsync(TimeSpan.FromSeconds(20));
        string all = File.ReadAllText(_folder.File("output"));
        Assert.EndsWith("THE END\n", all, StringComparison.Ordinal);
        return all;
    }

    private async Task<(int Code, string Output)> JailAsync(string[] arguments)
    {
        using SafeFileHandle none = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite);
        using SafeFileHandle output = File.OpenHandle(_folder.File("output"), FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
        using SafeFileHandle report = File.OpenHandle(_folder.File("report"), FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
        var descriptors = new Dictionary<int, SafeFileHandle> { [0] = none, [1] = output, [2] = output, [3] = report };
        int code = await Task.Run(() => ChildProcess.Run(Programs.Jailer, ["candela-jailer", .. arguments], descriptors));
        return (code, File.ReadAllText(_folder.File("output")));
    }
}
