using System.Text.Json.Serialization;
using Candela.Identity.Accounts;
using Candela.Identity.Authentication;

namespace Candela.Identity.Storage;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(Domain))]
[JsonSerializable(typeof(DirectoryEntry))]
[JsonSerializable(typeof(CredentialDocument))]
[JsonSerializable(typeof(FailureSlot))]
internal sealed partial class IdentityJson : JsonSerializerContext;
