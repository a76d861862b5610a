using System.Text.Json.Serialization;
using Candela.Identity.Certificates.Authorities;
using Candela.Identity.Certificates.Profiles;

namespace Candela.Identity.Certificates;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(AuthorityDocument))]
[JsonSerializable(typeof(CurrentAuthorities))]
[JsonSerializable(typeof(ProfileLimits))]
[JsonSerializable(typeof(IssuedCertificate))]
[JsonSerializable(typeof(Revocation.RevocationDocument))]
[JsonSerializable(typeof(Revocation.CrlDocument))]
[JsonSerializable(typeof(Revocation.OcspSignerDocument))]
internal sealed partial class CertificateJson : JsonSerializerContext;
