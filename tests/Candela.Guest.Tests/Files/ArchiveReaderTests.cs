using System.Formats.Tar;
using System.Text;
using Candela.Guest.Files;
using Candela.Guest.Protocol;
using TarEntry = System.Formats.Tar.TarEntry;

namespace Candela.Guest.Tests.Files;

public sealed class ArchiveReaderTests : IDisposable
{
    private readonly ContainerTree _tree = new();

    public void Dispose() => _tree.Dispose();

    [Fact]
    public void A_folder_comes_with_its_name_and_all_below_it()
    {
        _tree.File("srv/app/a", "alpha");
        _tree.File("srv/app/deep/er/b", new string('b', 1000));
        _tree.Folder("srv/app/empty");
        _tree.Shell("cd srv/app; ln -s ../a deep/link; mkfifo pipe; mknod null c 1 3; mknod disk b 8 17; ln a hard; chmod 2750 empty; chown 1000:1001 a; touch -h -d @1600000000 deep/link a empty");

        Dictionary<string, TarEntry> entries = Entries(Read("/srv/app"));

        Assert.Equal(
            ["app/", "app/a", "app/deep/", "app/deep/er/", "app/deep/er/b", "app/deep/link", "app/disk", "app/empty/", "app/hard", "app/null", "app/pipe"],
            entries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(new string('b', 1000), Content(entries["app/deep/er/b"]));
        Assert.Equal((TarEntryType.SymbolicLink, "../a"), (entries["app/deep/link"].EntryType, entries["app/deep/link"].LinkName));
        Assert.Equal(TarEntryType.Fifo, entries["app/pipe"].EntryType);
        Assert.Equal((1, 3), (((PosixTarEntry)entries["app/null"]).DeviceMajor, ((PosixTarEntry)entries["app/null"]).DeviceMinor));
        Assert.Equal((TarEntryType.BlockDevice, 8, 17), (entries["app/disk"].EntryType, ((PosixTarEntry)entries["app/disk"]).DeviceMajor, ((PosixTarEntry)entries["app/disk"]).DeviceMinor));
        Assert.Equal((TarEntryType.Directory, (UnixFileMode)0b10_111_101_000), (entries["app/empty/"].EntryType, entries["app/empty/"].Mode));

        TarEntry[] names = [entries["app/a"], entries["app/hard"]];
        TarEntry link = Assert.Single(names, entry => entry.EntryType == TarEntryType.HardLink);
        TarEntry file = Assert.Single(names, entry => entry.EntryType == TarEntryType.RegularFile);
        Assert.Equal((file.Name, "alpha"), (link.LinkName, Content(file)));
        Assert.Equal((1000, 1001, DateTimeOffset.FromUnixTimeSeconds(1_600_000_000)), (file.Uid, file.Gid, file.ModificationTime));
    }

    [Fact]
    public void Names_begin_as_Docker_has_them()
    {
        _tree.File("srv/app/a", "alpha");

        Assert.Equal(["a"], Entries(Read("/srv/app/a")).Keys);
        Assert.Equal(["app/", "app/a"], Entries(Read("/srv/app/")).Keys.Order());
        Assert.Equal(["./", "./a"], Entries(Read("/srv/app/.")).Keys.Order());
        Assert.Equal(["/", "/srv/", "/srv/app/", "/srv/app/a"], Entries(Read("/")).Keys.Order());
    }

    [Fact]
    public void Long_names_odd_bytes_and_large_numbers_survive()
    {
        string deep = string.Join('/', Enumerable.Repeat(new string('d', 60), 6));
        _tree.File($"srv/{deep}/file", "x");
        _tree.File("srv/grüße", "y");
        _tree.Shell($"cd srv; ln -s {new string('t', 150)} link; chown 3000000:2097152 grüße; touch -d @-5 grüße; printf z > \"$(printf 'latin\\374')\"");

        byte[] archive = Read("/srv");
        string listed = TarList(archive);

        Assert.Contains($"srv/{deep}/file", listed, StringComparison.Ordinal);
        Assert.Contains($"link -> {new string('t', 150)}", listed, StringComparison.Ordinal);
        Assert.Matches("3000000/2097152 .* 1969-12-31 23:59:55 srv/gr", listed);
        Assert.Contains("srv/latin\\374", listed, StringComparison.Ordinal);
    }

    [Fact]
    public void Extended_attributes_come_as_pax_records()
    {
        _tree.File("srv/a", "alpha");
        byte[] capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        Set("srv/a", "security.capability\0"u8, capability);
        bool hasTrusted = TrySet("srv/a", "trusted.overlay.opaque\0"u8, "y"u8);
        bool hasUser = TrySet("srv/a", "user.note\0"u8, "line\nfeed=\0"u8);

        string archive = Encoding.Latin1.GetString(Read("/srv"));

        Assert.Contains("SCHILY.xattr.security.capability=" + Encoding.Latin1.GetString(capability), archive, StringComparison.Ordinal);
        Assert.Equal(hasUser, archive.Contains("SCHILY.xattr.user.note=line\nfeed=\0\n", StringComparison.Ordinal));
        Assert.True(hasTrusted);
        Assert.DoesNotContain("trusted.overlay", archive, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_is_kept_and_followed_only_after_a_slash()
    {
        _tree.File("srv/app/a", "alpha");
        _tree.Link("srv/link", "app");

        Assert.Equal(TarEntryType.SymbolicLink, Entries(Read("/srv/link"))["link"].EntryType);
        Assert.Equal(["link/", "link/a"], Entries(Read("/srv/link/")).Keys.Order());
        Assert.Equal("alpha", Content(Entries(Read("/srv/link/a"))["a"]));
    }

    [Fact]
    public void Links_do_not_lead_out_of_the_root()
    {
        _tree.Link("up", "../../../../../../../..");
        _tree.Link("secret", "../secret");

        Assert.Equal(AgentError.NoSuchPath, Assert.Throws<AgentFailure>(() => Read("/up/etc/passwd")).Error);
        Assert.DoesNotContain(Entries(Read("/up/")).Keys, name => name.Contains("etc", StringComparison.Ordinal));
        Assert.Equal(TarEntryType.SymbolicLink, Entries(Read("/secret"))["secret"].EntryType);
    }

    [Fact]
    public void Sockets_are_left_out()
    {
        _tree.File("srv/a", "alpha");
        using System.Net.Sockets.Socket socket = new(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(_tree.Path("srv/socket")));
        _tree.Shell("ln srv/socket srv/socket2");

        Assert.Equal(["srv/", "srv/a"], Entries(Read("/srv")).Keys.Order());
        Assert.Empty(Entries(Read("/srv/socket")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(511)]
    [InlineData(513)]
    [InlineData(65536)]
    public void Any_piece_size_gives_the_same_bytes(int pieceBytes)
    {
        _tree.File("srv/a", new string('a', 5000));
        _tree.File("srv/block", new string('b', 1024));
        _tree.File("srv/none");

        Assert.Equal(Read("/srv"), Read("/srv", pieceBytes));
    }

    [Fact]
    public void A_file_that_shrinks_meanwhile_is_filled_with_zeros_and_the_next_entry_is_whole()
    {
        _tree.File("srv/a", new string('a', 100_000));
        using ArchiveReader reader = ArchiveReader.Open(_tree.Root, "/srv/a");
        using MemoryStream archive = new();
        byte[] piece = new byte[1024];
        archive.Write(piece, 0, reader.Read(piece));
        File.WriteAllText(_tree.Path("srv/a"), "");
        for (int count = reader.Read(piece); count > 0; count = reader.Read(piece))
            archive.Write(piece, 0, count);

        string content = Content(Entries(archive.ToArray())["a"]);
        Assert.Equal(new string('a', 512) + new string('\0', 100_000 - 512), content);
    }

    [Fact]
    public void Folders_nested_too_deep_are_refused()
    {
        _tree.Shell("i=0; while [ $i -lt 260 ]; do mkdir d; cd d; i=$((i+1)); done");

        Assert.Equal(AgentError.LimitExceeded, Assert.Throws<AgentFailure>(() => Read("/")).Error);
    }

    [Fact]
    public void Folders_of_the_kernel_are_empty_in_an_archive_of_the_root()
    {
        _tree.File("dev/of-the-image");
        _tree.Shell("mkdir sys tmp; mount -t tmpfs none sys; mount -t tmpfs none tmp; touch sys/kernel tmp/mine");
        try
        {
            Assert.Equal(["/", "/dev/", "/dev/of-the-image", "/sys/", "/tmp/", "/tmp/mine"], Entries(Read("/")).Keys.Order(StringComparer.Ordinal));
            Assert.Equal(["sys/", "sys/kernel"], Entries(Read("/sys")).Keys.Order(StringComparer.Ordinal));
        }
        finally
        {
            _tree.Shell("umount sys tmp");
        }
    }

    [Fact]
    public void No_descriptor_stays_open()
    {
        _tree.File("srv/app/deep/a", new string('a', 100_000));
        int before = Open();
        byte[] piece = new byte[2048];
        for (int pieces = 0; pieces < 8; pieces++)
        {
            using ArchiveReader reader = ArchiveReader.Open(_tree.Root, "/srv");
            for (int i = 0; i < pieces; i++)
                reader.Read(piece);
        }

        Assert.Throws<AgentFailure>(() => ArchiveReader.Open(_tree.Root, "/none"));
        Assert.Equal(before, Open());

        int Open() => Directory.GetFileSystemEntries("/proc/self/fd").Count(file => new FileInfo(file).LinkTarget?.StartsWith(_tree.Root, StringComparison.Ordinal) == true);
    }

    private byte[] Read(string path, int pieceBytes = 4096)
    {
        using ArchiveReader reader = ArchiveReader.Open(_tree.Root, path);
        using MemoryStream archive = new();
        byte[] piece = new byte[pieceBytes];
        for (int count = reader.Read(piece); count > 0; count = reader.Read(piece))
            archive.Write(piece, 0, count);
        Assert.Equal(0, reader.Read(piece));
        return archive.ToArray();
    }

    private static Dictionary<string, TarEntry> Entries(byte[] archive)
    {
        Dictionary<string, TarEntry> entries = [];
        using TarReader reader = new(new MemoryStream(archive));
        while (reader.GetNextEntry(copyData: true) is { } entry)
            entries.Add(entry.Name, entry);
        return entries;
    }

    private static string Content(TarEntry entry)
    {
        using StreamReader reader = new(entry.DataStream!);
        return reader.ReadToEnd();
    }

    private string TarList(byte[] archive)
    {
        File.WriteAllBytes(_tree.Path("../archive.tar"), archive);
        return _tree.Shell("TZ=UTC LC_ALL=C tar --numeric-owner --full-time -tvf ../archive.tar");
    }

    private void Set(string path, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => Assert.True(TrySet(path, name, value));

    private bool TrySet(string path, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        using FileStream file = File.OpenWrite(_tree.Path(path));
        return FileCalls.SetAttribute((int)file.SafeFileHandle.DangerousGetHandle(), name, value) == 0;
    }
}
