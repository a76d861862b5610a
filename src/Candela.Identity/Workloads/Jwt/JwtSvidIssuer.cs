using System.Buffers;
using System.Text.Json;
using Candela.Identity.Jose;
using Candela.Model;

namespace Candela.Identity.Workloads.Jwt;

/// <summary>Issues JWT-SVIDs (JWT-SVID, section 3).</summary>
internal sealed class JwtSvidIssuer(JwtSigningKeys keys, WorkloadOptions options, TimeProvider time)
{
    /// <summary>Names the one instance of the container that the token was given to: a namesake's later token is another's.</summary>
    public const string ContainerClaim = "candela_container";

    /// <summary>Most audiences of one token.</summary>
    public const int AudienceCount = 16;

    /// <summary>Longest audience, characters.</summary>
    public const int AudienceLength = 1024;

    /// <exception cref="CandelaException">InvalidArgument: no audience, or too many.</exception>
    public JwtSvid Issue(SpiffeId id, string container, IReadOnlyList<string> audiences)
    {
        if (audiences.Count is 0 or > AudienceCount || audiences.Any(a => a.Length is 0 or > AudienceLength))
            throw new CandelaException(ErrorCode.InvalidArgument, $"a JWT-SVID has 1 to {AudienceCount} audiences of 1 to {AudienceLength} characters");
        var now = time.GetUtcNow();
        var notAfter = now + options.JwtLifetime;
        var claims = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(claims))
        {
            writer.WriteStartObject();
            writer.WriteString("sub", id.ToString());
            writer.WriteStartArray("aud");
            foreach (var audience in audiences)
                writer.WriteStringValue(audience);
            writer.WriteEndArray();
            writer.WriteNumber("exp", notAfter.ToUnixTimeSeconds());
            writer.WriteNumber("iat", now.ToUnixTimeSeconds());
            writer.WriteString(ContainerClaim, container);
            writer.WriteEndObject();
        }

        var token = Jws.Sign(keys, "JWT", claims.WrittenSpan);
        return new JwtSvid(id, token, DateTimeOffset.FromUnixTimeSeconds(notAfter.ToUnixTimeSeconds()));
    }
}
