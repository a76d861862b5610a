namespace Candela.Acceptance;

/// <summary>What a VMM may do on the host, as the kernel tells it.</summary>
public sealed class IsolationTests(Platform platform) : IAsyncLifetime
{
    private string _id = "";
    private Vmm _vmm = null!;

    public async ValueTask InitializeAsync()
    {
        _id = await platform.StartContainerAsync([], "sleep", "1000");
        _vmm = await Vmm.OfAsync(platform, _id);
    }

    public async ValueTask DisposeAsync() => await platform.RemoveAsync(_id);

    [Fact]
    public void Vmm_has_a_user_id_of_its_own_and_no_other_group()
    {
        var status = HostProcesses.Status(_vmm.Pid);
        Assert.Single(status["Uid"].Split('\t').Distinct());
        Assert.Equal(status["Uid"], status["Gid"]);
        Assert.True(_vmm.UserId >= 0x6000_0000);
        var holders = HostProcesses.All().Where(pid => HostProcesses.UserId(pid) == _vmm.UserId).ToArray();
        Assert.Equal([_vmm.Pid], holders);
        Assert.DoesNotContain("0", status["Groups"].Split(' '));
    }

    [Fact]
    public void Vmm_has_no_capabilities_and_cannot_get_any()
    {
        var status = HostProcesses.Status(_vmm.Pid);
        Assert.All((string[])["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"], set => Assert.Equal("0000000000000000", status[set]));
        Assert.Equal("1", status["NoNewPrivs"]);
    }

    [Fact]
    public void Vmm_runs_under_a_seccomp_filter() => Assert.Equal("2", HostProcesses.Status(_vmm.Pid)["Seccomp"]);

    [Theory]
    [InlineData("mnt")]
    [InlineData("pid")]
    [InlineData("net")]
    [InlineData("ipc")]
    [InlineData("uts")]
    public async Task Vmm_has_namespaces_of_its_own(string name)
    {
        var other = await platform.StartContainerAsync([], "sleep", "1000");
        string[] all = [.. ((int[])[_vmm.Pid, (await Vmm.OfAsync(platform, other)).Pid, Environment.ProcessId]).Select(pid => File.ResolveLinkTarget($"/proc/{pid}/ns/{name}", false)!.Name)];
        Assert.Equal(3, all.Distinct().Count());
        await platform.RemoveAsync(other);
    }

    [Fact]
    public void Vmm_sees_nothing_of_the_host_s_files()
    {
        var root = $"/proc/{_vmm.Pid}/root";
        Assert.False(Directory.Exists(root + "/home"));
        Assert.False(Directory.Exists(root + "/var"));
        Assert.False(File.Exists(root + "/etc/passwd"));
        var mounts = File.ReadLines($"/proc/{_vmm.Pid}/mounts").Select(line => line.Split(' ')).ToArray();
        Assert.DoesNotContain(mounts, mount => mount[2] is "sysfs" or "cgroup" or "cgroup2");
        Assert.All(mounts.Where(mount => mount[2] == "proc"), mount => Assert.Contains("subset=pid", mount[3], StringComparison.Ordinal));
    }

    [Fact]
    public void Vmm_has_a_control_group_with_limits()
    {
        var groups = File.ReadLines($"/proc/{_vmm.Pid}/cgroup").Where(line => line.Contains("/candela/", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(groups);
        Assert.All(groups, group => Assert.Contains($"-{_vmm.UserId:x8}", group, StringComparison.Ordinal));
    }

    [Fact]
    public void Vmm_s_open_files_are_its_own_disks_and_shared_ones_read_only()
    {
        foreach (var descriptor in Directory.EnumerateFileSystemEntries($"/proc/{_vmm.Pid}/fd"))
        {
            var target = File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.FullName ?? "";
            if (!target.Contains(platform.StateFolder, StringComparison.Ordinal) || target.Contains(_id, StringComparison.Ordinal))
                continue;
            var flags = Convert.ToInt32(File.ReadLines($"/proc/{_vmm.Pid}/fdinfo/{Path.GetFileName(descriptor)}").First(line => line.StartsWith("flags:", StringComparison.Ordinal))[6..].Trim(), 8);
            Assert.True((flags & 3) == 0, $"{target} is open for writing");
        }
    }

    [Fact]
    public void Sockets_of_the_platform_are_not_for_everyone()
    {
        foreach (var socket in (string[])[platform.ApiSocket, platform.DockerSocket])
            Assert.Equal((UnixFileMode)0, File.GetUnixFileMode(socket) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite));
        Assert.Equal((UnixFileMode)0, File.GetUnixFileMode(_vmm.Folder) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute));
    }

    [Fact]
    public async Task Guest_has_loopback_only()
        => Assert.Equal("lo", (await platform.DockerAsync("exec", _id, "ls", "/sys/class/net")).Text);
}
