using System.Xml;
using Candela.Identity.Ldap.Protocol;

namespace Candela.Identity.Saml.Xml;

/// <summary>
/// Reads XML from strangers: UTF-8 only, no document type (hence no entities but XML's own five, and nothing external), bounded in size,
/// depth, nodes and attributes, each ID given once. Comments and processing instructions are dropped before anything is looked at, as the
/// signature's canonical form drops comments: text that they cut in two is whole.
/// </summary>
internal static class SafeXml
{
    private static readonly XmlReaderSettings Settings = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
        CheckCharacters = true,
        MaxCharactersInDocument = SamlLimits.MetadataBytes,
        CloseInput = true,
    };

    /// <summary>Reads a document.</summary>
    /// <param name="bytes">UTF-8.</param>
    /// <param name="limit">Most bytes.</param>
    /// <exception cref="SamlException">It is not well-formed, or beyond a limit.</exception>
    public static XmlDocument Read(ReadOnlySpan<byte> bytes, int limit)
    {
        if (bytes.Length > limit)
            throw new SamlException($"the XML has more than {limit} bytes");
        if (bytes.StartsWith("\uFEFF"u8))
            bytes = bytes["\uFEFF"u8.Length..];
        var text = StrictUtf8.TextOf(bytes) ?? throw new SamlException("the XML is not UTF-8");
        try
        {
            Check(text);
            var document = new XmlDocument { PreserveWhitespace = true, XmlResolver = null };
            using (var reader = XmlReader.Create(new StringReader(text), Settings))
                document.Load(reader);
            return document;
        }
        catch (XmlException e)
        {
            throw new SamlException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"the XML is not well-formed, or has a document type (line {e.LineNumber}, column {e.LinePosition})"), e);
        }
    }

    /// <summary>What must hold before a tree is made of it.</summary>
    private static void Check(string text)
    {
        using var reader = XmlReader.Create(new StringReader(text), Settings);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var count = 0;
        while (reader.Read())
        {
            if (++count > SamlLimits.NodeCount)
                throw new SamlException($"the XML has more than {SamlLimits.NodeCount} nodes");
            if (reader.Depth > SamlLimits.DepthMaximum)
                throw new SamlException($"the XML is nested more than {SamlLimits.DepthMaximum} deep");
            if (reader.NodeType != XmlNodeType.Element || !reader.HasAttributes)
                continue;
            if (reader.AttributeCount > SamlLimits.AttributeCount)
                throw new SamlException($"an element has more than {SamlLimits.AttributeCount} attributes");
            count += reader.AttributeCount;
            while (reader.MoveToNextAttribute())
            {
                // Whatever any implementation takes for an ID, with or without a schema.
                if (reader.LocalName.Equals("id", StringComparison.OrdinalIgnoreCase) && !ids.Add(reader.Value))
                    throw new SamlException("two elements have the same ID");
            }
        }
    }
}
