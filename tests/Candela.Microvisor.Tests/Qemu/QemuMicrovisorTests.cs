using System.Security.Cryptography;
using Candela.Microvisor.Qemu;
using Candela.Model;

namespace Candela.Microvisor.Tests.Qemu;

/// <summary>Parents and clones of the driver, with real guests.</summary>
[Collection("qemu")]
public sealed class QemuMicrovisorTests(QemuHost host)
{
    private const int MemoryDescriptor = 12;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_parent_is_made_once_and_found_again_by_the_next_driver()
    {
        ParentStatus made = Assert.Single(host.Driver.ListParents());
        DateTime written = File.GetLastWriteTimeUtc(Path.Combine(host.ParentsFolder, made.Key, "memory"));

        await using QemuMicrovisor next = await host.OpenAsync(host.NewRunFolder());

        Assert.Equal(made.CreatedAt, Assert.Single(next.ListParents()).CreatedAt);
        ParentStatus found = await next.EnsureParentAsync(QemuHost.Size, Token);
        Assert.Equal(made.Key, found.Key);
        Assert.Equal(made.CreatedAt, found.CreatedAt);
        Assert.Equal(1, found.Waiting);
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(host.ParentsFolder, made.Key, "memory")));
        Assert.InRange(found.MemoryBytes, 8 << 20, QemuHost.Size.MemoryBytes);
        Assert.InRange(found.DeviceStateBytes, 1 << 10, 1 << 20);
    }

    [Fact]
    public async Task A_clone_runs_a_process_and_powers_off()
    {
        IMicroVm vm = await host.CloneAsync();
        await using GuestSession guest = await GuestSession.RunAsync(vm, "echo hello from $(hostname); echo kept > /file; cat /file", "clone");

        Assert.Equal("hello from clone\nkept\n", await guest.EndAsync());
        await guest.Agent.PowerOffAsync(Token);

        MicroVmExit exit = await vm.Exited.WaitAsync(TimeSpan.FromSeconds(20), Token);
        Assert.True(exit.GuestPowerOff, exit.Detail);
        Assert.False(Directory.Exists(Path.Combine(host.RunFolder, vm.Record.Folder)));
    }

    [Fact]
    public async Task Twenty_clones_have_different_random_bytes_and_names_of_their_own_and_leave_the_parents_memory_alone()
    {
        const int count = 20;
        IMicroVm third = await host.CloneAsync();
        byte[] before = await HashAsync(third);
        var clones = new (IMicroVm Vm, string Output)[count];

        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Token }, async (i, _) =>
        {
            IMicroVm vm = await host.CloneAsync();
            await using GuestSession guest = await GuestSession.RunAsync(vm, "hostname; head -c 16 /dev/urandom | hexdump -v -e '/1 \"%02x\"'; echo", $"clone-{i}");
            clones[i] = (vm, await guest.EndAsync());
        });

        string[][] lines = [.. clones.Select(c => c.Output.Split('\n'))];
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"clone-{i}"), lines.Select(l => l[0]));
        Assert.All(lines, l => Assert.Equal(32, l[1].Length));
        Assert.Equal(count, lines.Select(l => l[1]).Distinct().Count());
        Assert.Equal(count, clones.Select(c => c.Vm.Record.UserId).Distinct().Count());
        Assert.Equal(before, await HashAsync(third));
        await Task.WhenAll(clones.Select(c => c.Vm.KillAsync(Token)).Append(third.KillAsync(Token)));
    }

    [Fact]
    public async Task The_parents_memory_cannot_be_written_even_by_root()
    {
        IMicroVm vm = await host.CloneAsync();

        using var memory = new FileStream($"/proc/{vm.Record.ProcessId}/fd/{MemoryDescriptor}", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);

        Exception refused = Record.Exception(() => memory.Write([1]))!;
        Assert.True(refused is IOException or UnauthorizedAccessException, refused?.ToString());
        Assert.ThrowsAny<Exception>(() => memory.SetLength(4096));
        await vm.KillAsync(Token);
    }

    [Fact]
    public async Task A_clone_whose_image_is_missing_fails_and_leaves_nothing()
    {
        string folder = host.NewRunFolder();
        await using QemuMicrovisor driver = await host.OpenAsync(folder);
        CloneSpec spec = host.NewSpec();

        CandelaException noImage = await Assert.ThrowsAsync<CandelaException>(() => driver.CloneAsync(spec with { ImagePath = "/no/such/image" }, Token));
        CandelaException noScratch = await Assert.ThrowsAsync<CandelaException>(() => driver.CloneAsync(spec with { ScratchPath = "/no/such/disk" }, Token));

        Assert.Contains("/no/such/image", noImage.Message, StringComparison.Ordinal);
        Assert.Contains("/no/such/disk", noScratch.Message, StringComparison.Ordinal);
        IMicroVm sound = await driver.CloneAsync(spec, Token);
        await using GuestSession guest = await GuestSession.RunAsync(sound, "echo well");
        Assert.Equal("well\n", await guest.EndAsync());
        await sound.KillAsync(Token);
    }

    [Theory]
    [InlineData(0, 256)]
    [InlineData(1, 32)]
    [InlineData(1000, 256)]
    public async Task Impossible_sizes_are_refused(int vcpus, long mebibytes) =>
        Assert.Equal(ErrorCode.InvalidArgument, (await Assert.ThrowsAsync<CandelaException>(() => host.Driver.EnsureParentAsync(new MicroVmSize(vcpus, mebibytes << 20), Token))).Code);

    [Fact]
    public async Task A_parent_is_removed_while_its_clone_goes_on()
    {
        string folder = host.NewRunFolder(), parents = Path.Combine(folder + "-parents");
        QemuHost.Run("cp", "-r", "--sparse=always", host.ParentsFolder, parents);
        await using QemuMicrovisor driver = await host.OpenAsync(folder, parents);
        IMicroVm vm = await driver.CloneAsync(host.NewSpec(), Token);
        await using GuestSession guest = await GuestSession.RunAsync(vm, "sleep 1000");

        string key = Assert.Single(driver.ListParents()).Key;
        await driver.RemoveParentAsync(key, Token);

        Assert.Empty(driver.ListParents());
        Assert.False(Directory.Exists(Path.Combine(parents, key)));
        Assert.Equal([vm.Record.Folder], Directory.GetDirectories(folder).Select(Path.GetFileName));
        Assert.Equal(ErrorCode.NotFound, (await Assert.ThrowsAsync<CandelaException>(() => driver.RemoveParentAsync(key, Token))).Code);
        Assert.Single(await guest.Agent.ListAsync(Token));
        await vm.KillAsync(Token);
    }

    private static async Task<byte[]> HashAsync(IMicroVm vm)
    {
        await using FileStream memory = File.Open($"/proc/{vm.Record.ProcessId}/fd/{MemoryDescriptor}", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return await SHA256.HashDataAsync(memory, Token);
    }
}
