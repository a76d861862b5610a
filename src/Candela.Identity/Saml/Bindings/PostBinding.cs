using System.Buffers;
using System.Text;
using Candela.Identity.Saml.Xml;

namespace Candela.Identity.Saml.Bindings;

/// <summary>HTTP-POST (saml-bindings-2.0-os, 3.5).</summary>
internal static class PostBinding
{
    /// <summary>Longest form field, characters.</summary>
    public const int FieldLength = 2 * SamlLimits.MessageBytes;

    private static readonly SearchValues<char> Base64Spaces = SearchValues.Create(" \t\r\n");

    /// <summary>The form field that carries a message.</summary>
    public static string ParameterOf(SamlMessageKind kind) => kind == SamlMessageKind.Request ? "SAMLRequest" : "SAMLResponse";

    /// <summary>Reads a message from a form.</summary>
    /// <exception cref="SamlException">It is none.</exception>
    public static IncomingMessage Read(string? request, string? response, string? relayState)
    {
        var (kind, text) = (request, response) switch
        {
            ({ } r, null) => (SamlMessageKind.Request, r),
            (null, { } r) => (SamlMessageKind.Response, r),
            _ => throw new SamlException("the form must have either SAMLRequest or SAMLResponse"),
        };
        return new IncomingMessage(kind, SafeXml.Read(Decode(text), SamlLimits.MessageBytes).DocumentElement!, relayState is null ? null : CheckRelayState(relayState), null);
    }

    /// <summary>The value of a message's form field.</summary>
    public static string Write(string xml) => Convert.ToBase64String(Encoding.UTF8.GetBytes(xml));

    /// <exception cref="SamlException">Too long.</exception>
    public static string CheckRelayState(string text) => Encoding.UTF8.GetByteCount(text) <= SamlLimits.RelayStateBytes
        ? text
        : throw new SamlException($"RelayState has more than {SamlLimits.RelayStateBytes} bytes");

    /// <summary>Base64, with line ends where some put them.</summary>
    public static byte[] Decode(string text)
    {
        if (text.Length > FieldLength)
            throw new SamlException($"the message has more than {FieldLength} characters");
        var bare = text.AsSpan().ContainsAny(Base64Spaces) ? string.Concat(text.Split([' ', '\t', '\r', '\n'])) : text;
        try
        {
            return Convert.FromBase64String(bare);
        }
        catch (FormatException e)
        {
            throw new SamlException("the message or its signature is not base64", e);
        }
    }
}
