using System.Formats.Tar;
using System.Text;
using Candela.Guest.Files;

namespace Candela.Guest.Tests.Files;

/// <summary>A writable layer as an image's layer and as a list of changes; both folders are made by hand as an overlay leaves them.</summary>
public sealed class WritableLayerTests : IDisposable
{
    private readonly ContainerTree _tree = new();

    public WritableLayerTests() => _tree.Shell("mkdir upper image");

    public void Dispose() => _tree.Dispose();

    [Fact]
    public void Deletions_become_whiteouts_and_hiding_folders_opaque()
    {
        _tree.File("upper/new", "fresh");
        _tree.Shell("cd upper; mkdir -p var/cache; mknod var/gone c 0 0; mknod top c 0 0; mknod null c 1 3; setfattr -n trusted.overlay.opaque -v y var/cache; touch var/cache/a");

        Dictionary<string, string> entries = Layer();

        Assert.Equal(
            [".wh.top", "new", "null", "var/", "var/.wh.gone", "var/cache/", "var/cache/.wh..wh..opq", "var/cache/a"],
            entries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(("fresh", "", ""), (entries["new"], entries[".wh.top"], entries["var/cache/.wh..wh..opq"]));
    }

    [Fact]
    public void What_the_agent_made_to_mount_on_is_no_change()
    {
        _tree.Shell("mkdir -p image/etc upper/etc upper/proc upper/sys upper/dev; touch upper/etc/hosts upper/etc/resolv.conf upper/etc/hostname");

        Assert.Equal(["etc/"], Layer().Keys);
        Assert.Equal("", Changes());
    }

    [Fact]
    public void What_the_container_put_there_is_one()
    {
        _tree.Shell("mkdir -p image/etc upper/etc; echo 127.0.0.1 x > upper/etc/hosts; touch image/etc/hostname; touch upper/etc/hostname");

        Assert.Equal("A /etc/hosts,C /etc,C /etc/hostname", Changes());
    }

    [Fact]
    public void Changes_are_told_apart()
    {
        _tree.Shell(
            """
            mkdir -p image/etc image/usr/lib image/opt/was; touch image/etc/kept image/etc/old image/usr/lib/x image/opt/was/a image/opt/was/b image/file
            mkdir -p upper/etc upper/usr upper/opt/was upper/srv/deep upper/file
            echo changed > upper/etc/kept; mknod upper/etc/old c 0 0; touch upper/srv/deep/f
            touch -r image/usr upper/usr; touch -r image/opt upper/opt; touch -r image/opt/was upper/opt/was
            setfattr -n trusted.overlay.opaque -v y upper/opt/was; touch upper/opt/was/b upper/opt/was/c; touch -r image/opt/was upper/opt/was
            """);

        Assert.Equal(
            "A /opt/was/c,A /srv,A /srv/deep,A /srv/deep/f,C /etc,C /etc/kept,C /file,C /opt,C /opt/was,C /opt/was/b,D /etc/old,D /opt/was/a",
            Changes());
    }

    [Fact]
    public void A_folder_of_another_mode_owner_or_time_changed()
    {
        _tree.Shell(
            """
            mkdir -p image/mode image/owner image/time image/same; cp -a image/. upper
            chmod 700 upper/mode; chown 5 upper/owner; touch -d @1000 upper/time
            """);

        Assert.Equal("C /mode,C /owner,C /time", Changes());
    }

    [Fact]
    public void A_list_longer_than_the_buffer_comes_whole()
    {
        _tree.Shell("cd upper; for i in $(seq 300); do touch file-with-quite-a-long-name-$i; done");

        Assert.Equal(300, Changes(bufferBytes: 7).Split(',').Length);
    }

    private Dictionary<string, string> Layer()
    {
        using ArchiveReader reader = ArchiveReader.OpenLayer(new WritableLayer(_tree.Path("upper"), _tree.Path("image")));
        using var tar = new TarReader(new MemoryStream(All(reader, 4096)));
        var entries = new Dictionary<string, string>();
        while (tar.GetNextEntry() is { } entry)
            entries.Add(entry.Name, entry.DataStream is { } data ? new StreamReader(data).ReadToEnd() : "");
        return entries;
    }

    private string Changes(int bufferBytes = 4096)
    {
        using var reader = new ChangesReader(new WritableLayer(_tree.Path("upper"), _tree.Path("image")));
        return string.Join(',', Encoding.UTF8.GetString(All(reader, bufferBytes)).Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(r => $"{r[0]} {r[1..]}").Order(StringComparer.Ordinal));
    }

    private static byte[] All(IArchiveSource source, int bufferBytes)
    {
        var all = new MemoryStream();
        byte[] buffer = new byte[bufferBytes];
        for (int count; (count = source.Read(buffer)) > 0;)
            all.Write(buffer, 0, count);
        return all.ToArray();
    }
}
