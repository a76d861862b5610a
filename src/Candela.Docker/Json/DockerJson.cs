using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Candela.Docker.Containers;
using Candela.Docker.Execs;
using Candela.Docker.Images;
using Candela.Docker.Networks;
using Candela.Docker.Engine;
using Candela.Docker.Volumes;

namespace Candela.Docker.Json;

/// <summary><c>{"message": …}</c>.</summary>
internal sealed record ErrorBody([property: JsonPropertyName("message")] string Message);

/// <summary>All JSON of the Engine API, generated at build time. Reading is case-insensitive and ignores unknown members, as Go does.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true, AllowDuplicateProperties = true)]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(CreateRequest))]
[JsonSerializable(typeof(CreateResponse))]
[JsonSerializable(typeof(ResourcesRequest))]
[JsonSerializable(typeof(UpdateResponse))]
[JsonSerializable(typeof(ContainerInspect))]
[JsonSerializable(typeof(List<ContainerSummary>))]
[JsonSerializable(typeof(WaitResponse))]
[JsonSerializable(typeof(TopResponse))]
[JsonSerializable(typeof(ArchiveStat))]
[JsonSerializable(typeof(List<ChangeView>))]
[JsonSerializable(typeof(StatisticsView))]
[JsonSerializable(typeof(ContainersPruned))]
[JsonSerializable(typeof(ExecCreateRequest))]
[JsonSerializable(typeof(ExecStartRequest))]
[JsonSerializable(typeof(ExecCreated))]
[JsonSerializable(typeof(ExecInspect))]
[JsonSerializable(typeof(List<ImageSummary>))]
[JsonSerializable(typeof(ImageInspect))]
[JsonSerializable(typeof(List<ImageHistoryEntry>))]
[JsonSerializable(typeof(List<ImageDeleted>))]
[JsonSerializable(typeof(ImagesPruned))]
[JsonSerializable(typeof(CommitResponse))]
[JsonSerializable(typeof(BuildCachePruned))]
[JsonSerializable(typeof(ProgressMessage))]
[JsonSerializable(typeof(RegistryAuth))]
[JsonSerializable(typeof(AuthResponse))]
[JsonSerializable(typeof(DistributionInspect))]
[JsonSerializable(typeof(Dictionary<string, RegistryAuth>))]
[JsonSerializable(typeof(VersionResponse))]
[JsonSerializable(typeof(InfoResponse))]
[JsonSerializable(typeof(EventMessage))]
[JsonSerializable(typeof(DiskUsage))]
[JsonSerializable(typeof(List<NetworkView>))]
[JsonSerializable(typeof(NetworkView))]
[JsonSerializable(typeof(VolumeList))]
[JsonSerializable(typeof(VolumesPruned))]
[JsonSerializable(typeof(VolumeView))]
[JsonSerializable(typeof(VolumeCreateRequest))]
[JsonSerializable(typeof(NetworksPruned))]
[JsonSerializable(typeof(NetworkCreated))]
[JsonSerializable(typeof(NetworkCreateRequest))]
[JsonSerializable(typeof(NetworkConnectRequest))]
[JsonSerializable(typeof(NetworkDisconnectRequest))]
[JsonSerializable(typeof(List<string>))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
internal sealed partial class DockerJson : JsonSerializerContext
{
    /// <summary>Text as it is, like Go's encoder: the CLI shows inspect output verbatim.</summary>
    public static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
