using System.Text.Json;
using Candela.Controller.Tests.Fake;
using Candela.Images;
using Candela.Model;
using static Candela.Controller.Tests.Fake.TestCalls;

namespace Candela.Controller.Tests;

public sealed class ImageAndAuditTests : IAsyncDisposable
{
    private readonly TestHost _host = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task An_image_in_use_is_kept_with_dockers_words()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.CreateAsync();
        var image = new string('a', 12);
        var user = container.Id[..12];
        Assert.Equal(
            $"conflict: unable to remove repository reference \"base\" (must force) - container {user} is using its referenced image {image}",
            (await FailsAsync(ErrorCode.Conflict, () => daemon.Images.RemoveAsync(Alice, "base", false, Token))).Message);
        Assert.Equal(
            $"conflict: unable to delete {image} (must be forced) - image is being used by stopped container {user}",
            (await FailsAsync(ErrorCode.Conflict, () => daemon.Images.RemoveAsync(Alice, container.ImageId, false, Token))).Message);
        await daemon.StartContainerAsync(container.Id);
        Assert.Equal(
            $"conflict: unable to delete {image} (cannot be forced) - image is being used by running container {user}",
            (await FailsAsync(ErrorCode.Conflict, () => daemon.Images.RemoveAsync(Alice, container.ImageId, true, Token))).Message);
        daemon.Machine.End(container.Id, 0);
        Assert.Equal("sha256:" + new string('a', 64), (await daemon.Images.RemoveAsync(Alice, "base", true, Token))[^1].Deleted);
    }

    [Fact]
    public async Task A_prune_takes_what_is_not_used()
    {
        var daemon = await _host.StartDaemonAsync();
        await daemon.CreateAsync();
        _host.Images.Add(null, 'd', new ImageConfiguration());
        _host.Images.HeldId = _host.Images.Add("held:latest", 'e', new ImageConfiguration()).Id;
        var content = Path.Combine((await daemon.Machines.GetAsync(Alice, Token)).StateFolder, "content");
        await File.WriteAllBytesAsync(content, Enumerable.Repeat((byte)1, 16 << 20).ToArray(), Token);
        _host.Images.Removing = () => File.Delete(content);
        var (removed, freed) = await daemon.Images.PruneAsync(Alice, false, null, Token);
        Assert.Equal(["sha256:" + new string('d', 64)], removed.Select(removal => removal.Deleted));
        Assert.InRange(freed, 15 << 20, 16 << 20); // the daemon's own state lies there too, and grows
        (removed, _) = await daemon.Images.PruneAsync(Alice, true, null, Token);
        Assert.Equal(["bare:latest"], removed.Select(removal => removal.Untagged).OfType<string>());
        Assert.Equal(["base:latest", "held:latest"], (await daemon.Images.ListAsync(Alice, Token)).SelectMany(image => image.Tags).Order());
    }

    [Fact]
    public async Task The_machine_describes_itself()
    {
        var daemon = await _host.StartDaemonAsync();
        var report = await daemon.Machines.GetAsync(Alice, Token);
        Assert.Equal("simulated", report.Driver.Driver);
        Assert.True(report.MemoryBytes > 1 << 26);
        Assert.NotEmpty(report.OperatingSystem);
        await FailsAsync(ErrorCode.InvalidArgument, () => daemon.Machines.EnsureParentAsync(Alice, 0, 1 << 30, Token));
        await FailsAsync(ErrorCode.InvalidArgument, () => daemon.Machines.EnsureParentAsync(Alice, 1, 1000, Token));
        Assert.True(await daemon.Images.GetDiskUsageAsync(Alice, Token) > 0);
    }

    [Fact]
    public async Task Every_call_is_recorded_with_its_outcome()
    {
        var daemon = await _host.StartDaemonAsync();
        await daemon.CreateAsync(name: "web");
        await FailsAsync(ErrorCode.NotFound, () => daemon.StartContainerAsync("nobody"));
        await foreach (var _ in daemon.Containers.ReadLogsAsync(Alice, "web", new LogOptions(), Token))
        {
        }

        var lines = (await File.ReadAllLinesAsync(_host.AuditLog, Token)).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(["container.create", "container.start", "container.logs"], lines.Select(line => line.GetProperty("action").GetString()));
        Assert.Equal(["ok", "NotFound", "ok"], lines.Select(line => line.GetProperty("outcome").GetString()));
        Assert.All(lines, line => Assert.Equal(("alice", 1000), (line.GetProperty("user").GetString(), line.GetProperty("userId").GetInt32())));
        Assert.Equal("No such container: nobody", lines[1].GetProperty("message").GetString());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_host.AuditLog));
    }

    [Fact]
    public async Task The_audit_log_is_put_aside_when_it_is_large()
    {
        _host.Adjust = static options => options with { AuditFileBytes = 1000, AuditFileCount = 3 };
        var daemon = await _host.StartDaemonAsync();
        for (var i = 0; i < 50; i++)
            await daemon.ListAsync();
        string[] files = [_host.AuditLog, _host.AuditLog + ".1", _host.AuditLog + ".2"];
        Assert.Equal(files, Directory.GetFiles(Path.GetDirectoryName(_host.AuditLog)!, "audit.log*").Order());
        Assert.All(files, static file => Assert.InRange(new FileInfo(file).Length, 1, 1000));
    }
}
