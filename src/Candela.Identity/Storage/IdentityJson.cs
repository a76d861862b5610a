using System.Text.Json.Serialization;
using Candela.Identity.Accounts;

namespace Candela.Identity.Storage;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(Domain))]
[JsonSerializable(typeof(DirectoryEntry))]
internal sealed partial class IdentityJson : JsonSerializerContext;
