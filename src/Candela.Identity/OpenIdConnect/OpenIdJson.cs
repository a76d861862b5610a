using System.Text.Json.Serialization;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.OpenIdConnect.Grants;

namespace Candela.Identity.OpenIdConnect;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(OAuthClient))]
[JsonSerializable(typeof(GrantDocument))]
[JsonSerializable(typeof(CodeDocument))]
[JsonSerializable(typeof(DeviceDocument))]
[JsonSerializable(typeof(ConsentDocument))]
internal sealed partial class OpenIdJson : JsonSerializerContext;
