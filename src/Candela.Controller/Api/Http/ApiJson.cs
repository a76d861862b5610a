using System.Text.Json;
using System.Text.Json.Serialization;
using Candela.Controller.Api.Tasks;
using Candela.Images;
using Candela.Microvisor;
using Candela.Model;

namespace Candela.Controller.Api.Http;

/// <summary>JSON of the REST API: camelCase names, enums by name, nulls left out, unknown and repeated members refused.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Container))]
[JsonSerializable(typeof(IReadOnlyList<Container>))]
[JsonSerializable(typeof(ContainerStatistics))]
[JsonSerializable(typeof(IReadOnlyList<ProcessEntry>))]
[JsonSerializable(typeof(PathStat))]
[JsonSerializable(typeof(Exec))]
[JsonSerializable(typeof(WaitResult))]
[JsonSerializable(typeof(WaitCondition?))]
[JsonSerializable(typeof(ForkReport))]
[JsonSerializable(typeof(ResourceEvent))]
[JsonSerializable(typeof(Image))]
[JsonSerializable(typeof(IReadOnlyList<Image>))]
[JsonSerializable(typeof(IReadOnlyList<ImageRemoval>))]
[JsonSerializable(typeof(MachineReport))]
[JsonSerializable(typeof(ParentStatus))]
[JsonSerializable(typeof(IReadOnlyList<ParentStatus>))]
[JsonSerializable(typeof(CreateContainerRequest))]
[JsonSerializable(typeof(CreateExecRequest))]
[JsonSerializable(typeof(StartExecRequest))]
[JsonSerializable(typeof(ForkRequest))]
[JsonSerializable(typeof(PullRequest))]
[JsonSerializable(typeof(TagRequest))]
[JsonSerializable(typeof(ParentRequest))]
[JsonSerializable(typeof(PruneAnswer))]
[JsonSerializable(typeof(ProgressLine))]
[JsonSerializable(typeof(LogLine))]
[JsonSerializable(typeof(StatusAnswer))]
[JsonSerializable(typeof(IReadOnlyList<TaskRecord>))]
[JsonSerializable(typeof(ApiProblem))]
internal sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>Gives the server's options the same rules, for bodies that the framework reads and writes.</summary>
    public static void Configure(JsonSerializerOptions options)
    {
        options.TypeInfoResolverChain.Insert(0, Default);
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.PropertyNameCaseInsensitive = false;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.AllowDuplicateProperties = false;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.Converters.Add(new JsonStringEnumConverter(namingPolicy: null, allowIntegerValues: false));
    }
}
