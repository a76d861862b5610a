using System.Globalization;
using System.Xml;

namespace Candela.Identity.Saml.Xml;

/// <summary>Reading of elements: by namespace and name, direct children only, text whole or not at all.</summary>
internal static class ElementReading
{
    extension(XmlElement element)
    {
        public bool Is(string space, string name) => element.NamespaceURI == space && element.LocalName == name;

        /// <summary>Direct children of this name.</summary>
        public IEnumerable<XmlElement> Children(string space, string name) => element.ChildNodes.OfType<XmlElement>().Where(e => e.Is(space, name));

        /// <summary>The direct child of this name; null: none.</summary>
        /// <exception cref="SamlException">There are two.</exception>
        public XmlElement? Child(string space, string name)
        {
            XmlElement? found = null;
            foreach (var child in element.Children(space, name))
                found = found is null ? child : throw new SamlException($"{element.LocalName} has more than one {name}");
            return found;
        }

        /// <summary>An attribute without a namespace; null: none.</summary>
        public string? Optional(string name, int length)
        {
            if (element.GetAttributeNode(name) is not { } attribute)
                return null;
            return attribute.Value.Length is > 0 && attribute.Value.Length <= length
                ? attribute.Value
                : throw new SamlException($"{element.LocalName}: {name} is empty, or longer than {length} characters");
        }

        public string Required(string name, int length) => element.Optional(name, length) ?? throw new SamlException($"{element.LocalName} has no {name}");

        /// <summary>A boolean attribute (XML Schema, 3.2.2).</summary>
        public bool? Boolean(string name) => element.Optional(name, 5)?.Trim() switch
        {
            null => null,
            "true" or "1" => true,
            "false" or "0" => false,
            _ => throw new SamlException($"{element.LocalName}: {name} is neither true nor false"),
        };

        /// <summary>A number from 0 to 65535.</summary>
        public int? Number(string name) => element.Optional(name, 5) is not { } text ? null
            : ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw new SamlException($"{element.LocalName}: {name} is no number from 0 to 65535");

        /// <summary>A time in UTC (saml-core-2.0-os, 1.3.3).</summary>
        public DateTimeOffset? Time(string name)
        {
            if (element.Optional(name, 40) is not { } text)
                return null;
            string[] formats = ["yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"];
            return DateTimeOffset.TryParseExact(text, formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
                ? time
                : throw new SamlException($"{element.LocalName}: {name} is no time in UTC like 2026-01-31T12:00:00Z");
        }

        /// <summary>Text without the white space around it; there must be nothing but text.</summary>
        public string Text(int length)
        {
            if (element.ChildNodes.OfType<XmlNode>().Any(n => n is not XmlCharacterData))
                throw new SamlException($"{element.LocalName} holds more than text");
            var text = element.InnerText.Trim();
            return text.Length is > 0 && text.Length <= length ? text : throw new SamlException($"{element.LocalName} is empty, or longer than {length} characters");
        }
    }
}
