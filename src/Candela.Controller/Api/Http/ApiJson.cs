using System.Text.Json;
using System.Text.Json.Serialization;
using Candela.Controller.Access;
using Candela.Controller.Api.Tasks;
using Candela.Images;
using Candela.Microvisor;
using Candela.Model;
using Candela.Model.Identity;
using Candela.Model.Networking;

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
[JsonSerializable(typeof(DomainReport))]
[JsonSerializable(typeof(IReadOnlyList<DomainReport>))]
[JsonSerializable(typeof(CreateDomainRequest))]
[JsonSerializable(typeof(UpdateDomainRequest))]
[JsonSerializable(typeof(ImportReport))]
[JsonSerializable(typeof(AccountReport))]
[JsonSerializable(typeof(IReadOnlyList<AccountReport>))]
[JsonSerializable(typeof(CreateAccountRequest))]
[JsonSerializable(typeof(UpdateAccountRequest))]
[JsonSerializable(typeof(CredentialReport))]
[JsonSerializable(typeof(ResetPasswordRequest))]
[JsonSerializable(typeof(GroupReport))]
[JsonSerializable(typeof(IReadOnlyList<GroupReport>))]
[JsonSerializable(typeof(CreateGroupRequest))]
[JsonSerializable(typeof(UpdateGroupRequest))]
[JsonSerializable(typeof(IReadOnlyList<MemberReport>))]
[JsonSerializable(typeof(RoleReport))]
[JsonSerializable(typeof(IReadOnlyList<RoleReport>))]
[JsonSerializable(typeof(CreateRoleRequest))]
[JsonSerializable(typeof(UpdateRoleRequest))]
[JsonSerializable(typeof(BindingReport))]
[JsonSerializable(typeof(IReadOnlyList<BindingReport>))]
[JsonSerializable(typeof(CreateBindingRequest))]
[JsonSerializable(typeof(DecisionReport))]
[JsonSerializable(typeof(ClientReport))]
[JsonSerializable(typeof(IReadOnlyList<ClientReport>))]
[JsonSerializable(typeof(CreateClientRequest))]
[JsonSerializable(typeof(ClientSecretReport))]
[JsonSerializable(typeof(RotateSecretRequest))]
[JsonSerializable(typeof(SamlProviderReport))]
[JsonSerializable(typeof(IReadOnlyList<SamlProviderReport>))]
[JsonSerializable(typeof(SamlProviderRequest))]
[JsonSerializable(typeof(SamlKeyReport))]
[JsonSerializable(typeof(IReadOnlyList<SamlKeyReport>))]
[JsonSerializable(typeof(IdentityProviderReport))]
[JsonSerializable(typeof(IReadOnlyList<IdentityProviderReport>))]
[JsonSerializable(typeof(IdentityProviderRequest))]
[JsonSerializable(typeof(IdentityLinkReport))]
[JsonSerializable(typeof(IReadOnlyList<IdentityLinkReport>))]
[JsonSerializable(typeof(IdentityLinkRequest))]
[JsonSerializable(typeof(PeerDecision))]
[JsonSerializable(typeof(CertificateReport))]
[JsonSerializable(typeof(IReadOnlyList<CertificateReport>))]
[JsonSerializable(typeof(RequestCertificateRequest))]
[JsonSerializable(typeof(RootsReport))]
[JsonSerializable(typeof(WhoAmIReport))]
[JsonSerializable(typeof(ChangePasswordRequest))]
[JsonSerializable(typeof(SelfRequest))]
[JsonSerializable(typeof(TotpReport))]
[JsonSerializable(typeof(RecoveryCodesReport))]
[JsonSerializable(typeof(ContainerNetwork))]
[JsonSerializable(typeof(IReadOnlyList<ContainerNetwork>))]
[JsonSerializable(typeof(NetworkSpec))]
[JsonSerializable(typeof(SegmentChange))]
[JsonSerializable(typeof(SecurityGroup))]
[JsonSerializable(typeof(IReadOnlyList<SecurityGroup>))]
[JsonSerializable(typeof(SecurityGroupSpec))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(NetworkPolicy))]
[JsonSerializable(typeof(IReadOnlyList<NetworkPolicy>))]
[JsonSerializable(typeof(NetworkPolicySpec))]
[JsonSerializable(typeof(ProjectNetworking))]
[JsonSerializable(typeof(FlowRecord))]
[JsonSerializable(typeof(IReadOnlyList<FlowCounter>))]
[JsonSerializable(typeof(KeytabRequest))]
[JsonSerializable(typeof(KeytabReport))]
[JsonSerializable(typeof(IReadOnlyList<KerberosServiceReport>))]
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
