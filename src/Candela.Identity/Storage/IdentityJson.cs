using System.Text.Json.Serialization;
using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Authorization;
using Candela.Identity.Kerberos.Principals;

namespace Candela.Identity.Storage;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(Domain))]
[JsonSerializable(typeof(DirectoryEntry))]
[JsonSerializable(typeof(Role))]
[JsonSerializable(typeof(RoleBinding))]
[JsonSerializable(typeof(CredentialDocument))]
[JsonSerializable(typeof(FailureSlot))]
[JsonSerializable(typeof(RealmDocument))]
[JsonSerializable(typeof(ServicePrincipal))]
internal sealed partial class IdentityJson : JsonSerializerContext;
