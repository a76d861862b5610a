using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;

namespace Candela.Acceptance.Harness;

/// <summary>An image made by a test: layers over a static busybox.</summary>
internal sealed class TestImage
{
    private readonly List<byte[]> _layers = [];

    /// <summary>An image with a shell; <paramref name="content"/> makes its layers differ from others'.</summary>
    public TestImage(string content)
    {
        Add(tar =>
        {
            File(tar, "bin/busybox", System.IO.File.ReadAllBytes("/bin/busybox"), UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "bin/sh") { LinkName = "busybox" });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "bin/cat") { LinkName = "busybox" });
            File(tar, "etc/lower", "lower\n"u8.ToArray());
            File(tar, "etc/removed", "removed\n"u8.ToArray());
        });
        Add(tar =>
        {
            File(tar, "etc/upper", Encoding.UTF8.GetBytes(content + "\n"));
            File(tar, "etc/.wh.removed", []);
        });
    }

    /// <summary>Layers, gzip'd tars, lowest first.</summary>
    public byte[][] CompressedLayers => [.. _layers.Select(Compress)];

    /// <summary>The image's configuration: a default command that shows its files.</summary>
    public byte[] Configuration => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["architecture"] = "amd64",
        ["os"] = "linux",
        ["created"] = "2024-01-02T03:04:05Z",
        ["config"] = new JsonObject
        {
            ["Env"] = new JsonArray("PATH=/bin", "FROM_IMAGE=yes"),
            ["Cmd"] = new JsonArray("sh", "-c", "cat /etc/lower /etc/upper; echo $FROM_IMAGE; [ -e /etc/removed ] || echo gone; pwd"),
            ["WorkingDir"] = "/work",
            ["Labels"] = new JsonObject { ["made.by"] = "test" },
        },
        ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray([.. _layers.Select(layer => JsonValue.Create(RegistryServer.Digest(layer)))]) },
    }.ToJsonString());

    /// <summary>Its id.</summary>
    public string Id => RegistryServer.Digest(Configuration);

    /// <summary>What <c>docker save</c> writes.</summary>
    public byte[] Archive(string reference)
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, leaveOpen: true))
        {
            var configuration = Id[7..] + ".json";
            string[] names = [.. _layers.Select(layer => RegistryServer.Digest(layer)[7..] + "/layer.tar")];
            File(tar, configuration, Configuration);
            for (var i = 0; i < names.Length; i++)
                File(tar, names[i], _layers[i]);
            File(tar, "manifest.json", Encoding.UTF8.GetBytes(new JsonArray(new JsonObject
            {
                ["Config"] = configuration,
                ["RepoTags"] = new JsonArray(reference),
                ["Layers"] = new JsonArray([.. names.Select(name => JsonValue.Create(name))]),
            }).ToJsonString()));
        }

        return stream.ToArray();
    }

    /// <summary>A root file system as <c>docker import</c> takes it.</summary>
    public byte[] RootArchive() => _layers[0];

    private void Add(Action<TarWriter> write)
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, leaveOpen: true))
            write(tar);
        _layers.Add(stream.ToArray());
    }

    private static void File(TarWriter tar, string name, byte[] content, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead)
        => tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content), Mode = mode, ModificationTime = DateTimeOffset.UnixEpoch.AddDays(1) });

    private static byte[] Compress(byte[] content)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest))
            gzip.Write(content);
        return stream.ToArray();
    }
}
