using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Candela.Tests.Shared;

namespace Candela.Images.Tests.Registry;

/// <summary>An image of one layer for <see cref="FakeServer"/>: repository <c>app</c>, tag <c>latest</c>.</summary>
internal sealed class FakeImage
{
    public const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    public const string ManifestPath = "/v2/app/manifests/latest";

    public FakeImage(int layerLength = 1000)
    {
        Layer = RandomNumberGenerator.GetBytes(layerLength);
        Manifest = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ManifestType,
            ["config"] = RegistryServer.Descriptor("application/vnd.oci.image.config.v1+json", Configuration),
            ["layers"] = new JsonArray(RegistryServer.Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", Layer)),
        }.ToJsonString());
    }

    public byte[] Configuration { get; } = """{"architecture":"amd64","os":"linux"}"""u8.ToArray();

    public byte[] Layer { get; }

    public byte[] Manifest { get; }

    public string LayerPath => $"/v2/app/blobs/{RegistryServer.Digest(Layer)}";

    /// <summary>What a good registry answers.</summary>
    public FakeAnswer Answer(FakeRequest request)
        => request.Target == ManifestPath || request.Target == $"/v2/app/manifests/{RegistryServer.Digest(Manifest)}"
            ? new FakeAnswer { Headers = [("Content-Type", ManifestType)], Body = Manifest }
            : request.Target == LayerPath ? FakeAnswer.Range(request, Layer) : FakeAnswer.Error(404, "MANIFEST_UNKNOWN", "manifest unknown");
}
