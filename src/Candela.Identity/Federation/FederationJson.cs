using System.Text.Json.Serialization;
using Candela.Identity.Federation.OpenId;

namespace Candela.Identity.Federation;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(IdentityProvider))]
[JsonSerializable(typeof(LinkDocument))]
[JsonSerializable(typeof(PendingSignIn))]
internal sealed partial class FederationJson : JsonSerializerContext;
