using System.IO.Compression;
using System.Text;
using Candela.Images.Layers;
using Candela.Images.Manifests;
using Candela.Images.Storage;

namespace Candela.Images.Tests;

/// <summary>An image made in the test: tars, configuration, manifest.</summary>
internal sealed class TarImage
{
    public TarImage(params byte[][] layers)
    {
        Layers = layers;
        Blobs = layers;
        ImageConfigurationFile file = new()
        {
            Created = DateTimeOffset.UnixEpoch,
            Architecture = "amd64",
            OperatingSystem = "linux",
            Run = RunConfiguration.FromModel(new ImageConfiguration { Command = ["/bin/true"] }),
            Layers = new LayerList("layers", [.. layers.Select(static layer => Digests.Of(layer))]),
        };
        Configuration = file.ToJson();
    }

    /// <summary>Uncompressed layers.</summary>
    public byte[][] Layers { get; }

    /// <summary>Layers as they travel.</summary>
    public byte[][] Blobs { get; init; }

    public byte[] Configuration { get; init; }

    public string Id => Digests.Of(Configuration);

    public byte[] Manifest => Encoding.UTF8.GetBytes(
        $$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{Describe(Configuration, "application/vnd.oci.image.config.v1+json")}},"layers":[{{string.Join(',', Blobs.Select(static blob => Describe(blob, "application/vnd.oci.image.layer.v1.tar+gzip")))}}]}""");

    public static string Describe(byte[] content, string mediaType) =>
        $$"""{"mediaType":"{{mediaType}}","digest":"{{Digests.Of(content)}}","size":{{content.Length}}}""";

    public static byte[] Gzip(byte[] content)
    {
        using MemoryStream output = new();
        using (GZipStream gzip = new(output, CompressionLevel.Fastest))
            gzip.Write(content);
        return output.ToArray();
    }

    public static byte[] Tar(params (TarEntry Entry, byte[] Content)[] entries)
    {
        using MemoryStream output = new();
        TarWriter writer = new(output);
        foreach ((TarEntry entry, byte[] content) in entries)
        {
            writer.Add(entry with { Size = content.Length });
            writer.Write(content);
            writer.EndContent();
        }

        writer.End();
        return output.ToArray();
    }

    public static (TarEntry Entry, byte[] Content) File(string name, string content = "", int mode = 420) =>
        (new TarEntry { Kind = TarKind.Regular, Name = name, Mode = mode }, Encoding.UTF8.GetBytes(content));

    public static (TarEntry Entry, byte[] Content) File(string name, byte[] content) =>
        (new TarEntry { Kind = TarKind.Regular, Name = name, Mode = 420 }, content);

    public static (TarEntry Entry, byte[] Content) Folder(string name, int mode = 493) =>
        (new TarEntry { Kind = TarKind.Folder, Name = name, Mode = mode }, []);

    public static (TarEntry Entry, byte[] Content) Link(string name, string target) =>
        (new TarEntry { Kind = TarKind.SymbolicLink, Name = name, LinkName = target, Mode = 511 }, []);

    public static (TarEntry Entry, byte[] Content) HardLink(string name, string target) =>
        (new TarEntry { Kind = TarKind.HardLink, Name = name, LinkName = target, Mode = 420 }, []);
}
