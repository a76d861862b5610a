using System.Formats.Tar;
using System.Text;
using Candela.Guest.Files;
using Candela.Guest.Protocol;

namespace Candela.Guest.Tests.Files;

public sealed class ArchiveWriterTests : IDisposable
{
    private readonly ContainerTree _tree = new();

    public ArchiveWriterTests() => _tree.Folder("srv");

    public void Dispose() => _tree.Dispose();

    [Fact]
    public void Unpacks_files_with_owner_mode_and_time()
    {
        Write("/srv", new TarBytes().Folder("app", (UnixFileMode)0b1_111_101_000).File("app/a", "alpha", (UnixFileMode)0b100_111_101_001, 1000, 1001).File("app/none", "").End());

        Assert.Equal("alpha", _tree.Text("srv/app/a"));
        Assert.Equal("4751 1000 1001 1500000000", _tree.Shell("stat -c '%a %u %g %Y' srv/app/a").Trim());
        Assert.Equal("1750 1400000000 0", _tree.Shell("stat -c '%a %Y' srv/app; stat -c %s srv/app/none").Trim().Replace('\n', ' '));
        Assert.Contains("00:.250000000", _tree.Shell("TZ=UTC stat -c %y srv/app/a").Replace("40:00", "00:", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("posix")]
    [InlineData("gnu")]
    [InlineData("ustar")]
    [InlineData("v7")]
    [InlineData("oldgnu")]
    public void Unpacks_what_tar_packs_in_each_format(string format)
    {
        string folder = format is "v7" or "ustar" ? "short" : new string('l', 120);
        _tree.Shell($"mkdir -p in/{folder}/sub; cd in/{folder}; printf alpha > a; ln a hard; ln -s ../a sub/link; head -c 3000 /dev/zero > sub/zeros; chown 1000:1001 a; chmod 640 a; touch -d @1234567890 a sub; "
            + (format == "v7" ? "" : "mkfifo pipe; mknod null c 1 3; ") + $"cd ../..; tar --format={format} -C in -cf ../t.tar .");

        Write("/srv", File.ReadAllBytes(_tree.Path("../t.tar")));

        const string List = "find . -printf '%P %y %m %U:%G %s %l %n\\n' | grep -v '^ ' | sort; find . -name a -printf '%T@\\n'; find . -name sub -printf '%T@\\n'";
        Assert.Equal(_tree.Shell($"cd in; {List}"), _tree.Shell($"cd srv; {List}"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(511)]
    [InlineData(513)]
    public void Pieces_may_have_any_size(int pieceBytes)
    {
        Write("/srv", new TarBytes().File(new string('n', 200), new string('a', 1500)).File("b", "beta").End(), pieceBytes);

        Assert.Equal((new string('a', 1500), "beta"), (_tree.Text("srv/" + new string('n', 200)), _tree.Text("srv/b")));
    }

    [Fact]
    public void What_the_reader_packs_the_writer_unpacks()
    {
        _tree.Shell("mkdir -p in/deep; cd in; printf a > deep/a; ln deep/a hard; ln -s nowhere link; mknod null c 1 3; mkfifo pipe; head -c 70000 /dev/urandom > random; printf x > \"$(printf 'latin\\374')\"; chown -R 5:6 deep; touch -d @99 deep");
        using (ArchiveReader reader = ArchiveReader.Open(_tree.Root, "/in/."))
        using (ArchiveWriter writer = ArchiveWriter.Open(_tree.Root, "/srv", false))
        {
            byte[] piece = new byte[10_000];
            for (int count = reader.Read(piece); count > 0; count = reader.Read(piece))
                writer.Write(piece.AsSpan(0, count));
            writer.Complete();
        }

        _tree.Shell("tar -C in --numeric-owner --sort=name -cf ../in.tar . ; tar -C srv --numeric-owner --sort=name -cf ../srv.tar .; touch -r in srv; tar -C in --numeric-owner --sort=name -cf ../in.tar . ; tar -C srv --numeric-owner --sort=name -cf ../srv.tar .; cmp ../in.tar ../srv.tar");
    }

    [Fact]
    public void Extended_attributes_come_back_but_not_those_of_the_overlay()
    {
        PaxTarEntry entry = new(TarEntryType.RegularFile, "a", new Dictionary<string, string>
        {
            ["SCHILY.xattr.trusted.note"] = "hello",
            ["SCHILY.xattr.trusted.overlay.opaque"] = "y",
        });
        using MemoryStream archive = new();
        using (TarWriter tar = new(archive, leaveOpen: true))
            tar.WriteEntry(entry);

        Write("/srv", archive.ToArray());

        using FileStream file = File.OpenRead(_tree.Path("srv/a"));
        byte[] value = new byte[100];
        int number = (int)file.SafeFileHandle.DangerousGetHandle();
        Assert.Equal("hello", Encoding.ASCII.GetString(value, 0, FileCalls.GetAttribute(number, "trusted.note\0"u8, value)));
        Assert.True(FileCalls.GetAttribute(number, "trusted.overlay.opaque\0"u8, value) < 0);
    }

    [Fact]
    public void Replaces_files_and_merges_folders()
    {
        _tree.File("srv/app/keep", "keep");
        _tree.File("srv/app/a", "old");
        _tree.Link("srv/app/link", "/srv/app/keep");

        Write("/srv", new TarBytes().Folder("app").File("app/a", "new").File("app/link", "now a file").End());

        Assert.Equal(("keep", "new", "now a file"), (_tree.Text("srv/app/keep"), _tree.Text("srv/app/a"), _tree.Text("srv/app/link")));
    }

    [Fact]
    public void Replaces_a_folder_by_a_file_unless_told_not_to()
    {
        _tree.File("srv/app/deep/er/a", "old");
        byte[] archive = new TarBytes().File("app", "file").End();

        AgentFailure failure = Assert.Throws<AgentFailure>(() => Write("/srv", archive, noOverwriteDirNonDir: true));
        Assert.Equal("cannot overwrite directory \"/srv/app\" with non-directory \"/srv\"", failure.Message);
        Assert.Equal("old", _tree.Text("srv/app/deep/er/a"));

        Write("/srv", archive);
        Assert.Equal("file", _tree.Text("srv/app"));
        failure = Assert.Throws<AgentFailure>(() => Write("/srv", new TarBytes().Folder("app").End(), noOverwriteDirNonDir: true));
        Assert.StartsWith("cannot overwrite non-directory \"/srv/app\"", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Makes_folders_that_the_archive_only_implies()
    {
        Write("/srv/", new TarBytes().File("x/y/z", "deep").End());

        Assert.Equal("deep", _tree.Text("srv/x/y/z"));
        Assert.Equal("755 0", _tree.Shell("stat -c '%a %u' srv/x/y").Trim());
    }

    [Theory]
    [InlineData("../../escaped")]
    [InlineData("a/../../escaped")]
    public void Names_that_lead_above_the_folder_are_refused(string name)
    {
        AgentFailure failure = Assert.Throws<AgentFailure>(() => Write("/srv", new TarBytes().File(name, "x").End()));

        Assert.Equal((AgentError.InvalidArgument, $"\"{name}\" is outside of \"/srv\""), (failure.Error, failure.Message));
    }

    [Fact]
    public void No_link_leads_out_of_the_root()
    {
        string outside = Path.GetDirectoryName(_tree.Root)!;
        Directory.CreateDirectory(_tree.Path(outside));
        Write("/srv", new TarBytes()
            .Link(TarEntryType.SymbolicLink, "absolute", outside)
            .Link(TarEntryType.SymbolicLink, "up", "../../../../../../../../../.." + outside)
            .File("up/secret", "overwritten by up").End());

        Assert.Equal("secret", File.ReadAllText(_tree.Secret));
        Assert.Equal("overwritten by up", File.ReadAllText(_tree.Path(outside + "/secret")));
        Assert.Throws<AgentFailure>(() => Write("/srv", new TarBytes().Link(TarEntryType.HardLink, "stolen", "../../secret").End()));
        Assert.Throws<AgentFailure>(() => Write("/srv", new TarBytes().Link(TarEntryType.HardLink, "stolen", "absolute/../secret2").End()));
        Assert.Equal("secret", File.ReadAllText(_tree.Secret));
    }

    [Fact]
    public void Absolute_names_stay_below_the_folder()
    {
        Write("/srv", new TarBytes().File("/etc/passwd", "mine").End());

        Assert.Equal("mine", _tree.Text("srv/etc/passwd"));
    }

    [Fact]
    public void A_link_as_destination_is_followed_inside_of_the_root()
    {
        _tree.Link("way", "/srv");

        Write("/way", new TarBytes().File("a", "x").End());

        Assert.Equal("x", _tree.Text("srv/a"));
    }

    [Theory]
    [InlineData("/missing", AgentError.NoSuchPath)]
    [InlineData("/dangling", AgentError.NoSuchPath)]
    [InlineData("/file", AgentError.InvalidArgument)]
    [InlineData("/link", AgentError.InvalidArgument)]
    public void A_destination_must_be_a_folder(string path, AgentError error)
    {
        _tree.File("file");
        _tree.Link("link", "file");
        _tree.Link("dangling", "nowhere");

        Assert.Equal(error, Assert.Throws<AgentFailure>(() => Write(path, new TarBytes().End())).Error);
    }

    [Fact]
    public void A_file_that_is_cut_off_does_not_stay()
    {
        byte[] archive = new TarBytes().File("first", "whole").File("second", new string('x', 5000)).End();
        using (ArchiveWriter writer = ArchiveWriter.Open(_tree.Root, "/srv", false))
        {
            writer.Write(archive.AsSpan(0, 4000));
            Assert.Equal("invalid tar archive: unexpected end", Assert.Throws<AgentFailure>(writer.Complete).Message);
        }

        Assert.Equal("whole", _tree.Text("srv/first"));
        Assert.False(File.Exists(_tree.Path("srv/second")));
    }

    [Fact]
    public void A_full_disk_is_told_by_name()
    {
        _tree.Shell("mount -t tmpfs -o size=64k none srv");
        try
        {
            AgentFailure failure = Assert.Throws<AgentFailure>(() => Write("/srv", new TarBytes().File("big", new string('x', 200_000)).End()));

            Assert.Equal((AgentError.NoSpace, "write big: no space left on device"), (failure.Error, failure.Message));
            Assert.False(File.Exists(_tree.Path("srv/big")));
        }
        finally
        {
            _tree.Shell("umount srv");
        }
    }

    [Fact]
    public void Damage_anywhere_is_refused_or_unpacked_inside_but_never_escapes()
    {
        byte[] whole = new TarBytes().Folder("app").File("app/a", "alpha", uid: 3).Link(TarEntryType.SymbolicLink, "app/l", "../..").File("app/l/b", "beta").End();
        for (int i = 0; i < whole.Length; i += 3)
        {
            byte[] damaged = [.. whole];
            damaged[i] ^= 0x15;
            try
            {
                Write("/srv", damaged);
            }
            catch (AgentFailure)
            {
            }
        }

        Assert.Equal(["root", "secret"], Directory.GetFileSystemEntries(Path.GetDirectoryName(_tree.Root)!).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Global_headers_and_bytes_after_the_end_are_ignored()
    {
        byte[] archive = new TarBytes().File("a", "alpha").End();
        Write("/srv", [.. archive, .. Encoding.ASCII.GetBytes("trailing garbage")]);

        Assert.Equal("alpha", _tree.Text("srv/a"));
        Write("/srv", []);
    }

    private void Write(string path, byte[] archive, int pieceBytes = 4096, bool noOverwriteDirNonDir = false)
    {
        using ArchiveWriter writer = ArchiveWriter.Open(_tree.Root, path, noOverwriteDirNonDir);
        for (int at = 0; at < archive.Length; at += pieceBytes)
            writer.Write(archive.AsSpan(at, int.Min(pieceBytes, archive.Length - at)));
        writer.Complete();
    }
}
