using System.IO.Compression;
using System.Text;
using Candela.Identity.Saml.Keys;
using Candela.Identity.Saml.Xml;

namespace Candela.Identity.Saml.Bindings;

/// <summary>HTTP-Redirect with DEFLATE (saml-bindings-2.0-os, 3.4).</summary>
internal static class RedirectBinding
{
    private const string Relay = "RelayState";
    private const string Algorithm = "SigAlg";
    private const string Signature = "Signature";

    /// <summary>Reads a message from a query string.</summary>
    /// <param name="query">As it came, with its escapes, with or without the question mark.</param>
    /// <exception cref="SamlException">It is none.</exception>
    public static IncomingMessage Read(string query)
    {
        if (query.Length > SamlLimits.QueryLength)
            throw new SamlException($"the query has more than {SamlLimits.QueryLength} characters");
        var raw = Split(query);
        var kind = (raw.ContainsKey(ParameterOf(SamlMessageKind.Request)), raw.ContainsKey(ParameterOf(SamlMessageKind.Response))) switch
        {
            (true, false) => SamlMessageKind.Request,
            (false, true) => SamlMessageKind.Response,
            _ => throw new SamlException("the query must have either SAMLRequest or SAMLResponse"),
        };
        if (raw.TryGetValue("SAMLEncoding", out var encoding) && Unescape(encoding) != "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE")
            throw new SamlException("the message's encoding is not DEFLATE");
        var relay = raw.TryGetValue(Relay, out var relayText) ? PostBinding.CheckRelayState(Unescape(relayText)) : null;
        var root = SafeXml.Read(Inflate(PostBinding.Decode(Unescape(raw[ParameterOf(kind)]))), SamlLimits.MessageBytes).DocumentElement!;
        if (EnvelopedSignature.IsPresent(root))
            throw new SamlException("with the Redirect binding a signature belongs to the query, not into the message");
        return new IncomingMessage(kind, root, relay, DetachedIn(raw, kind));
    }

    /// <summary>Makes a signed address that carries a message.</summary>
    public static string Write(string destination, SamlMessageKind kind, string xml, string? relayState, SamlKey key)
    {
        var signed = new StringBuilder()
            .Append(ParameterOf(kind)).Append('=').Append(Uri.EscapeDataString(Convert.ToBase64String(Deflate(xml))));
        if (relayState is not null)
            signed.Append('&').Append(Relay).Append('=').Append(Uri.EscapeDataString(relayState));
        signed.Append('&').Append(Algorithm).Append('=').Append(Uri.EscapeDataString(SamlNames.RsaSha256));
        var signature = key.Sign(Encoding.ASCII.GetBytes(signed.ToString()));
        return $"{destination}{(destination.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{signed}&{Signature}={Uri.EscapeDataString(Convert.ToBase64String(signature))}";
    }

    internal static byte[] Deflate(string xml)
    {
        using var output = new MemoryStream();
        using (var deflate = new DeflateStream(output, CompressionLevel.Optimal))
            deflate.Write(Encoding.UTF8.GetBytes(xml));
        return output.ToArray();
    }

    private static byte[] Inflate(byte[] compressed)
    {
        var buffer = new byte[SamlLimits.MessageBytes + 1];
        try
        {
            using var inflate = new DeflateStream(new MemoryStream(compressed), CompressionMode.Decompress);
            // Stops where the limit is passed: what a bomb would become is never made.
            int length = inflate.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            return length <= SamlLimits.MessageBytes ? buffer[..length] : throw new SamlException($"the message has more than {SamlLimits.MessageBytes} bytes");
        }
        catch (InvalidDataException e)
        {
            throw new SamlException("the message is not DEFLATE", e);
        }
    }

    private static DetachedSignature? DetachedIn(Dictionary<string, string> raw, SamlMessageKind kind)
    {
        if (!raw.TryGetValue(Signature, out var signature) & !raw.TryGetValue(Algorithm, out var algorithm))
            return null;
        if (signature is null || algorithm is null)
            throw new SamlException("the query has one of SigAlg and Signature without the other");
        // The order is the specification's, whatever the query's.
        var signed = new StringBuilder().Append(ParameterOf(kind)).Append('=').Append(raw[ParameterOf(kind)]);
        if (raw.TryGetValue(Relay, out var relay))
            signed.Append('&').Append(Relay).Append('=').Append(relay);
        signed.Append('&').Append(Algorithm).Append('=').Append(algorithm);
        return new DetachedSignature(signed.ToString(), Unescape(algorithm), PostBinding.Decode(Unescape(signature)));
    }

    /// <summary>Parameters with their escapes; those that matter may be there once only.</summary>
    private static Dictionary<string, string> Split(string query)
    {
        var raw = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in query.TrimStart('?').Split('&'))
        {
            var at = part.IndexOf('=', StringComparison.Ordinal);
            if (at > 0 && !raw.TryAdd(Unescape(part[..at]), part[(at + 1)..]))
                throw new SamlException("a parameter of the query is there twice");
        }

        return raw;
    }

    private static string Unescape(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

    private static string ParameterOf(SamlMessageKind kind) => PostBinding.ParameterOf(kind);
}
