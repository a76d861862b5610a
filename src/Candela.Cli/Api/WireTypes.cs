using System.Text.Json.Serialization;
using Candela.Model;
using Candela.Model.Identity;
using Candela.Model.Networking;

namespace Candela.Cli.Api;

// The bodies of requests and answers that this client reads or writes itself; what it only shows as JSON passes through.

internal sealed record CreateRequest(string? Name, ContainerSpec Spec);

internal sealed record ExecRequest(
    IReadOnlyList<string> Arguments,
    IReadOnlyList<string> Environment,
    string? WorkingDirectory,
    string? User,
    bool Tty,
    bool AttachStdin,
    bool Privileged);

internal sealed record ExecAnswer(string Id);

internal sealed record StartExecRequest(bool Detach, ushort? Rows, ushort? Columns);

internal sealed record ForkRequest(int Count, IReadOnlyList<string>? Names);

internal sealed record ForkAnswer(IReadOnlyList<Container> Forks, double SourcePauseMilliseconds, IReadOnlyList<StageTiming> Stages);

internal sealed record WaitAnswer(int ExitCode, string? Error);

internal sealed record PullRequest(string Reference, CredentialBody? Credential);

internal sealed record CredentialBody(string Username, string Password, string? IdentityToken);

internal sealed record TagRequest(string Target);

internal sealed record ImageRow(string Id, IReadOnlyList<string>? Tags, DateTimeOffset? CreatedAt, long SizeBytes);

internal sealed record RemovalRow(string? Untagged, string? Deleted);

internal sealed record PruneAnswer(IReadOnlyList<RemovalRow> Removed, long FreedBytes);

internal sealed record ProgressLine(string? Id, string? Status, long Current, long Total, string? Error, string? Code, IReadOnlyList<string>? ImageIds);

internal sealed record ParentRow(string Key, ParentSize Size, DateTimeOffset? CreatedAt, long MemoryBytes, int Waiting);

internal sealed record ParentSize(int VCpus, long MemoryBytes);

internal sealed record ParentRequest(int VCpus, long MemoryBytes);

internal sealed record TaskRow(string Id, string? Kind, string? Subject, string? State, double? Progress, string? Message, DateTimeOffset? CreatedAt);

internal sealed record EventLine(long Sequence, DateTimeOffset At, string Kind, string Action, string ResourceId, IReadOnlyDictionary<string, string>? Attributes);

internal sealed record StatusAnswer(bool Ready, string? Preparing, string? Error, string? Version, int Pid, DateTimeOffset? StartedAt, int ContainerCount, int RunningCount);

internal sealed record ContextRow(string Name, string Daemon, string? Account, bool Current);

/// <summary>Serialization without reflection: camelCase names, enums by name, nulls left out.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    PropertyNameCaseInsensitive = true,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Container))]
[JsonSerializable(typeof(IReadOnlyList<Container>))]
[JsonSerializable(typeof(ContainerStatistics))]
[JsonSerializable(typeof(IReadOnlyList<ProcessEntry>))]
[JsonSerializable(typeof(CreateRequest))]
[JsonSerializable(typeof(ExecRequest))]
[JsonSerializable(typeof(ExecAnswer))]
[JsonSerializable(typeof(StartExecRequest))]
[JsonSerializable(typeof(ForkRequest))]
[JsonSerializable(typeof(ForkAnswer))]
[JsonSerializable(typeof(WaitAnswer))]
[JsonSerializable(typeof(PullRequest))]
[JsonSerializable(typeof(TagRequest))]
[JsonSerializable(typeof(IReadOnlyList<ImageRow>))]
[JsonSerializable(typeof(IReadOnlyList<RemovalRow>))]
[JsonSerializable(typeof(PruneAnswer))]
[JsonSerializable(typeof(ProgressLine))]
[JsonSerializable(typeof(ParentRow))]
[JsonSerializable(typeof(IReadOnlyList<ParentRow>))]
[JsonSerializable(typeof(ParentRequest))]
[JsonSerializable(typeof(IReadOnlyList<TaskRow>))]
[JsonSerializable(typeof(EventLine))]
[JsonSerializable(typeof(StatusAnswer))]
[JsonSerializable(typeof(ContextRow[]))]
[JsonSerializable(typeof(DomainReport))]
[JsonSerializable(typeof(IReadOnlyList<DomainReport>))]
[JsonSerializable(typeof(CreateDomainRequest))]
[JsonSerializable(typeof(UpdateDomainRequest))]
[JsonSerializable(typeof(ImportReport))]
[JsonSerializable(typeof(AccountReport))]
[JsonSerializable(typeof(IReadOnlyList<AccountReport>))]
[JsonSerializable(typeof(CreateAccountRequest))]
[JsonSerializable(typeof(UpdateAccountRequest))]
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
[JsonSerializable(typeof(CertificateReport))]
[JsonSerializable(typeof(IReadOnlyList<CertificateReport>))]
[JsonSerializable(typeof(RequestCertificateRequest))]
[JsonSerializable(typeof(RootsReport))]
[JsonSerializable(typeof(WhoAmIReport))]
[JsonSerializable(typeof(ChangePasswordRequest))]
[JsonSerializable(typeof(SelfRequest))]
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
[JsonSerializable(typeof(TotpReport))]
[JsonSerializable(typeof(RecoveryCodesReport))]
[JsonSerializable(typeof(KeytabRequest))]
[JsonSerializable(typeof(KeytabReport))]
[JsonSerializable(typeof(IReadOnlyList<KerberosServiceReport>))]
internal sealed partial class Wire : JsonSerializerContext;
