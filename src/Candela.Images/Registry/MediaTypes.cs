namespace Candela.Images.Registry;

/// <summary>Media types of registries (OCI image-spec, media-types.md; distribution, manifest v2 schema 2).</summary>
internal static class MediaTypes
{
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string OciConfiguration = "application/vnd.oci.image.config.v1+json";
    public const string OciLayer = "application/vnd.oci.image.layer.v1.tar";
    public const string OciGzipLayer = OciLayer + "+gzip";
    public const string OciZstdLayer = OciLayer + "+zstd";
    public const string DockerConfiguration = "application/vnd.docker.container.image.v1+json";
    public const string DockerGzipLayer = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    private const string DockerSchema1 = "application/vnd.docker.distribution.manifest.v1+json";
    private const string DockerSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";

    /// <summary>What a manifest request accepts.</summary>
    public static IReadOnlyList<string> Manifests { get; } = [OciIndex, DockerList, OciManifest, DockerManifest];

    /// <summary>Whether it names several manifests.</summary>
    public static bool IsIndex(string type) => type is OciIndex or DockerList;

    /// <summary>Whether it is an image's manifest.</summary>
    public static bool IsManifest(string type) => type is OciManifest or DockerManifest;

    /// <summary>Whether it is a manifest of before 2016, which cannot be verified.</summary>
    public static bool IsSchema1(string type) => type is DockerSchema1 or DockerSchema1Signed;

    /// <summary>Whether it is an image's configuration. Old builders wrote octet-stream.</summary>
    public static bool IsConfiguration(string type)
        => type is OciConfiguration or DockerConfiguration or "application/octet-stream" or "";

    /// <summary>Whether it is a layer as tar, plain or compressed.</summary>
    public static bool IsLayer(string type)
        => type is OciLayer or OciGzipLayer or OciZstdLayer
            or "application/vnd.docker.image.rootfs.diff.tar" or DockerGzipLayer or "application/vnd.docker.image.rootfs.diff.tar.zstd";

    /// <summary>Whether it is a layer that registries do not hold (Windows base layers).</summary>
    public static bool IsForeignLayer(string type)
        => type.StartsWith("application/vnd.docker.image.rootfs.foreign.", StringComparison.Ordinal)
            || type.StartsWith("application/vnd.oci.image.layer.nondistributable.", StringComparison.Ordinal);
}
