using System.Buffers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Candela.Identity.Certificates.Requests;
using Candela.Identity.Jose;
using Candela.Model;

namespace Candela.Identity.Workloads.Bundles;

/// <summary>What a trust domain's SVIDs are verified with (SPIFFE Trust Domain and Bundle, section 4).</summary>
public sealed class TrustBundle
{
    /// <summary>Largest bundle of another trust domain, bytes.</summary>
    public const int JsonBytes = 1024 * 1024;

    private const int KeyCount = 256;
    private const string X509Use = "x509-svid";
    private const string JwtUse = "jwt-svid";

    internal TrustBundle(string trustDomain, IReadOnlyList<ReadOnlyMemory<byte>> x509, IReadOnlyDictionary<string, JsonWebKey> jwt, long? sequence, TimeSpan? refresh)
    {
        (TrustDomain, X509Authorities, JwtAuthorities, Sequence, Refresh) = (trustDomain, x509, jwt, sequence, refresh);
    }

    /// <summary>Name of the trust domain; never taken from the bundle itself.</summary>
    public string TrustDomain { get; }

    /// <summary>Certificates of the authorities of X.509-SVIDs, in DER.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> X509Authorities { get; }

    /// <summary>Number that grows with every change; null: not said.</summary>
    public long? Sequence { get; }

    /// <summary>How often to look for a new one; null: not said.</summary>
    public TimeSpan? Refresh { get; }

    /// <summary>Keys that sign JWT-SVIDs, by their id.</summary>
    internal IReadOnlyDictionary<string, JsonWebKey> JwtAuthorities { get; }

    /// <summary>All certificates, one after the other in DER, as the Workload API gives them.</summary>
    internal byte[] X509Der => [.. X509Authorities.SelectMany(a => a.ToArray())];

    /// <summary>Reads a bundle of another trust domain. Keys of unknown kinds are left out, as the standard wants; those that claim a known kind must be right.</summary>
    /// <exception cref="CandelaException">InvalidArgument: it is malformed, or has no key that can be used.</exception>
    public static TrustBundle Parse(string trustDomain, ReadOnlyMemory<byte> json)
    {
        try
        {
            if (json.Length > JsonBytes)
                throw new JoseException($"it has more than {JsonBytes} bytes");
            return Read(trustDomain, StrictJson.ReadObject(json, "the bundle"));
        }
        catch (JoseException e)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, $"the trust bundle of {trustDomain} is refused: {e.Message}", e);
        }
    }

    /// <summary>The bundle as a JWK set.</summary>
    public byte[] ToJson() => Write(withX509: true);

    /// <summary>The keys of JWT-SVIDs alone, as the Workload API gives them.</summary>
    internal byte[] ToJwtJson() => Write(withX509: false);

    private static TrustBundle Read(string trustDomain, JsonElement bundle)
    {
        if (!bundle.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array || keys.GetArrayLength() > KeyCount)
            throw new JoseException($"its keys are not an array of at most {KeyCount}");
        var x509 = new List<ReadOnlyMemory<byte>>();
        var jwt = new Dictionary<string, JsonWebKey>(StringComparer.Ordinal);
        foreach (var key in keys.EnumerateArray())
        {
            if (key.ValueKind != JsonValueKind.Object || key.Text("kty") is not ("EC" or "RSA") || key.Text("use") == JwtUse && key.Text("crv") is not (null or "P-256" or "P-384"))
                continue;
            switch (key.Text("use"))
            {
                case X509Use:
                    if (ReadCertificate(key) is { } certificate)
                        x509.Add(certificate);
                    break;
                case JwtUse:
                    if (key.Text("kid") is { Length: > 0 and <= 256 } id && !jwt.TryAdd(id, JsonWebKey.Read(key)))
                        throw new JoseException("two keys have one id (kid)");
                    break;
            }
        }

        if (x509.Count + jwt.Count == 0)
            throw new JoseException("it has no key of an X.509-SVID or JWT-SVID authority");
        return new TrustBundle(trustDomain, x509, jwt, Number(bundle, "spiffe_sequence"), Number(bundle, "spiffe_refresh_hint") is { } s and < 1_000_000_000 ? TimeSpan.FromSeconds(s) : null);
    }

    private static byte[]? ReadCertificate(JsonElement key)
    {
        if (!key.TryGetProperty("x5c", out var chain) || chain.ValueKind != JsonValueKind.Array || chain.GetArrayLength() == 0)
            return null;
        try
        {
            if (!chain[0].TryGetBytesFromBase64(out var der))
                throw new JoseException("a certificate (x5c) is not base64");
            using var certificate = X509CertificateLoader.LoadCertificate(der);
            if (certificate.Extensions.OfType<X509BasicConstraintsExtension>().SingleOrDefault() is not { CertificateAuthority: true })
                throw new JoseException("a certificate (x5c) is not an authority's");
            return der;
        }
        catch (Exception e) when (e is CryptographicException or InvalidOperationException)
        {
            throw new JoseException("a certificate (x5c) cannot be read", e);
        }
    }

    private static long? Number(JsonElement bundle, string name) =>
        bundle.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= 0 ? number : null;

    private byte[] Write(bool withX509)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("keys");
            foreach (var der in withX509 ? X509Authorities : [])
            {
                using var certificate = X509CertificateLoader.LoadCertificate(der.Span);
                writer.WriteStartObject();
                JsonWebKey.Of(PublicKeyInfo.Read(certificate.PublicKey.ExportSubjectPublicKeyInfo())).WriteMembers(writer);
                writer.WriteString("use", X509Use);
                writer.WriteStartArray("x5c");
                writer.WriteBase64StringValue(der.Span);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            foreach (var (id, key) in JwtAuthorities)
            {
                writer.WriteStartObject();
                key.WriteMembers(writer);
                writer.WriteString("use", JwtUse);
                writer.WriteString("kid", id);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            if (withX509 && Sequence is { } sequence)
                writer.WriteNumber("spiffe_sequence", sequence);
            if (withX509 && Refresh is { } refresh)
                writer.WriteNumber("spiffe_refresh_hint", (long)refresh.TotalSeconds);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
