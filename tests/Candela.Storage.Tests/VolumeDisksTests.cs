using System.Diagnostics;
using Candela.Model;
using Candela.Tests.Shared;

namespace Candela.Storage.Tests;

/// <summary>Disks of volumes: made, attached to one at a time, deleted.</summary>
public sealed class VolumeDisksTests : IDisposable
{
    private const string A = "00000000000000000000000000000001", B = "00000000000000000000000000000002";

    private readonly TemporaryFolder _folder = new();
    private readonly VolumeDisks _disks;

    public VolumeDisksTests() => _disks = new VolumeDisks(_folder.File("volumes"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_disk_is_sparse_sound_and_empty()
    {
        await _disks.CreateAsync(A, 0, Token);

        using VolumeLease lease = await _disks.AttachAsync([A], Holder(), Token);
        Assert.Equal(StorageLimits.VolumeBytesDefault, new FileInfo(lease.Paths[0]).Length);
        Assert.InRange(_disks.UsedBytes(A), 1, 64 << 20);
        Assert.Contains("data", await RunAsync("debugfs", "-R", "ls -l /", lease.Paths[0]), StringComparison.Ordinal);
        await RunAsync("e2fsck", "-fn", lease.Paths[0]);
        Assert.Equal([A + ".ext4"], Directory.GetFileSystemEntries(_folder.File("volumes")).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData(1)]
    [InlineData((1L << 40) + 1)]
    public async Task A_size_out_of_range_is_refused(long bytes)
    {
        CandelaException failure = await Assert.ThrowsAsync<CandelaException>(() => _disks.CreateAsync(A, bytes, Token));
        Assert.Equal(ErrorCode.InvalidArgument, failure.Code);
    }

    [Fact]
    public async Task A_volume_is_attached_once()
    {
        await _disks.CreateAsync(A, 0, Token);
        await _disks.CreateAsync(B, 0, Token);
        VolumeLease lease = await _disks.AttachAsync([A], Holder("container web"), Token);

        CandelaException failure = await Assert.ThrowsAsync<CandelaException>(() => _disks.AttachAsync([B, A], Holder(), Token));
        Assert.Equal(ErrorCode.Conflict, failure.Code);
        Assert.Contains("container web", failure.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorCode.Conflict, Assert.Throws<CandelaException>(() => _disks.Delete(A)).Code);
        (await _disks.AttachAsync([B], Holder(), Token)).Dispose();

        lease.Dispose();
        lease.Dispose();
        (await _disks.AttachAsync([B, A], Holder(), Token)).Dispose();
    }

    [Fact]
    public async Task A_holder_that_is_ending_is_waited_for()
    {
        await _disks.CreateAsync(A, 0, Token);
        VolumeLease lease = await _disks.AttachAsync([A], new VolumeHolder("container web", static () => true), Token);

        Task<VolumeLease> next = _disks.AttachAsync([A], Holder(), Token);
        Assert.False(next.IsCompleted);
        lease.Dispose();

        (await next).Dispose();
    }

    [Fact]
    public async Task What_no_volume_has_is_swept()
    {
        await _disks.CreateAsync(A, 0, Token);
        await _disks.CreateAsync(B, 0, Token);
        File.WriteAllText(_folder.File("volumes/x.ext4.new"), "half-made");
        Directory.CreateDirectory(_folder.File("volumes/x.ext4.content/data"));

        _disks.Sweep(new HashSet<string> { B });

        Assert.Equal([B + ".ext4"], Directory.GetFileSystemEntries(_folder.File("volumes")).Select(Path.GetFileName));
        _disks.Delete(B);
        _disks.Delete(B);
        Assert.Equal(ErrorCode.NotFound, (await Assert.ThrowsAsync<CandelaException>(() => _disks.AttachAsync([B], Holder(), Token))).Code);
    }

    private static VolumeHolder Holder(string name = "a test") => new(name, static () => false);

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PATH"] = "/usr/sbin:/sbin:/usr/bin:/bin";
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(Token);
        string output = await process.StandardOutput.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        Assert.True(process.ExitCode == 0, output + await errors);
        return output;
    }
}
