using System.Text.Json.Serialization;
using Candela.Model;
using Candela.Model.Networking;

namespace Candela.Controller.Storage;

/// <summary>A container as stored.</summary>
/// <param name="Container">The container; its status may lag behind (see docs/decisions/0401).</param>
/// <param name="BackoffMilliseconds">Last wait before a restart; 0: none yet.</param>
internal sealed record StoredContainer(Container Container, int BackoffMilliseconds);

/// <summary>Owner of projects.</summary>
/// <param name="Name">Name.</param>
/// <param name="CreatedAt">When it was made.</param>
internal sealed record TenantDocument(string Name, DateTimeOffset CreatedAt);

/// <summary>Name space of containers.</summary>
/// <param name="Name">Name.</param>
/// <param name="Tenant">Owner.</param>
/// <param name="CreatedAt">When it was made.</param>
internal sealed record ProjectDocument(string Name, string Tenant, DateTimeOffset CreatedAt);

/// <summary>An event as kept.</summary>
/// <param name="Event">The event.</param>
/// <param name="Project">Project that may see it; null: every one.</param>
internal sealed record StoredEvent(ResourceEvent Event, string? Project);

/// <summary>A line of the audit log.</summary>
/// <param name="At">When the call ended.</param>
/// <param name="User">Unix user name, account or workload.</param>
/// <param name="UserId">Unix user id, of callers by a socket of this host.</param>
/// <param name="From">Where the call came from.</param>
/// <param name="Project">Project; null: the action has none.</param>
/// <param name="Action">For example <c>container.create</c>.</param>
/// <param name="Target">Reference as given, or empty.</param>
/// <param name="Outcome"><c>ok</c>, or the error code's name.</param>
/// <param name="Message">Of the failure.</param>
/// <param name="Milliseconds">How long the call took.</param>
internal sealed record AuditEntry(
    DateTimeOffset At, string User, uint? UserId, string From, string? Project, string Action, string Target, string Outcome, string? Message, double Milliseconds);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(StoredContainer))]
[JsonSerializable(typeof(Volume))]
[JsonSerializable(typeof(TenantDocument))]
[JsonSerializable(typeof(ProjectDocument))]
[JsonSerializable(typeof(StoredEvent[]))]
[JsonSerializable(typeof(AuditEntry))]
[JsonSerializable(typeof(StoredNetwork))]
[JsonSerializable(typeof(SecurityGroup))]
[JsonSerializable(typeof(NetworkPolicy))]
[JsonSerializable(typeof(ProjectNetworking))]
internal sealed partial class ControllerJson : JsonSerializerContext;

/// <summary>A network as stored.</summary>
/// <param name="Network">It.</param>
/// <param name="ProjectNumber">Number of its project on the machine, the same in all networks of the project.</param>
internal sealed record StoredNetwork(ContainerNetwork Network, int ProjectNumber);
