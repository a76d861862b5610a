using Candela.Microvisor.Native;
using Candela.Microvisor.Qemu;
using Candela.Tests.Shared;
using Microsoft.Win32.SafeHandles;

namespace Candela.Microvisor.Tests.Qemu;

public sealed class ParentStoreTests : IDisposable
{
    private const long MemoryBytes = 64L << 20;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Keeps_a_parent_across_restarts()
    {
        Save();

        ParentStore reopened = Open();

        Assert.Equal("g1-tcg-1c-64m", Assert.Single(reopened.List()).Key);
        using Snapshot? snapshot = reopened.Load("g1-tcg-1c-64m", CancellationToken.None);
        Assert.NotNull(snapshot);
        Assert.Equal([1, 2, 3], Read(snapshot.Memory, 5 << 20, 3));
        Assert.Equal([9, 9], Read(snapshot.Devices, 0, 2));
        Assert.True(new FileInfo(_folder.File("g1-tcg-1c-64m/memory")).Length == MemoryBytes);
    }

    [Theory]
    [InlineData("memory")]
    [InlineData("devices")]
    public void Never_uses_a_damaged_parent(string file)
    {
        Save();
        using (FileStream stream = File.OpenWrite(_folder.File("g1-tcg-1c-64m/" + file)))
        {
            stream.Position = stream.Length / 2;
            stream.WriteByte(77);
        }

        Assert.Null(Open().Load("g1-tcg-1c-64m", CancellationToken.None));
        Assert.Empty(Open().List());
    }

    [Fact]
    public void Never_uses_a_truncated_parent()
    {
        Save();
        using (FileStream stream = File.OpenWrite(_folder.File("g1-tcg-1c-64m/memory")))
            stream.SetLength(MemoryBytes - 4096);

        Assert.Null(Open().Load("g1-tcg-1c-64m", CancellationToken.None));
    }

    [Fact]
    public void Deletes_what_is_half_written_and_what_another_guest_or_host_made()
    {
        Save();
        Directory.CreateDirectory(_folder.File(".new-g1-tcg-2c-64m"));
        Directory.CreateDirectory(_folder.File("g1-tcg-4c-64m"));

        Assert.Single(Open().List());
        Assert.Equal([_folder.File("g1-tcg-1c-64m")], Directory.GetDirectories(_folder.Path));
        Assert.Empty(new ParentStore(_folder.Path, "g2", "host").List());
        Save();
        Assert.Empty(new ParentStore(_folder.Path, "g1", "another host").List());
        Assert.Empty(Directory.GetDirectories(_folder.Path));
    }

    private static byte[] Read(SafeFileHandle file, long offset, int count)
    {
        byte[] data = new byte[count];
        MemoryFile.ReadExactly(file, data, offset);
        return data;
    }

    private ParentStore Open() => new(_folder.Path, "g1", "host");

    private void Save()
    {
        SafeFileHandle memory = MemoryFile.Create("candela-test", MemoryBytes), devices = MemoryFile.Create("candela-test", 2);
        RandomAccess.Write(memory, new byte[] { 1, 2, 3 }, 5 << 20);
        RandomAccess.Write(devices, new byte[] { 9, 9 }, 0);
        using var snapshot = new Snapshot(memory, devices, 4096, []);
        var status = new ParentStatus { Key = "g1-tcg-1c-64m", Size = new MicroVmSize(1, MemoryBytes), GuestVersion = "g1", CreatedAt = DateTimeOffset.UnixEpoch, DeviceStateBytes = 2, MemoryBytes = 4096 };
        Open().Save(status, snapshot);
    }
}
