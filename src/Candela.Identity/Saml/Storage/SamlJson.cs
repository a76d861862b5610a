using System.Text.Json.Serialization;
using Candela.Identity.Saml.Keys;
using Candela.Identity.Saml.Providers;
using Candela.Identity.Saml.Sessions;

namespace Candela.Identity.Saml.Storage;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SamlKeysDocument))]
[JsonSerializable(typeof(SamlServiceProvider))]
[JsonSerializable(typeof(PendingSignOn))]
[JsonSerializable(typeof(SamlSession))]
[JsonSerializable(typeof(PendingLogout))]
[JsonSerializable(typeof(ReceivedLogout))]
internal sealed partial class SamlJson : JsonSerializerContext;
