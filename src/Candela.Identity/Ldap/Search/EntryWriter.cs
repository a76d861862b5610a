using System.Formats.Asn1;
using Candela.Identity.Ldap.Access;
using Candela.Identity.Ldap.Filters;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Schema;
using Candela.Identity.Ldap.Server;
using Candela.Identity.Ldap.Tree;

namespace Candela.Identity.Ldap.Search;

/// <summary>Writes entries that a search found (RFC 4511, 4.5.2).</summary>
internal sealed class EntryWriter(OutputQueue output, int id, AttributeSelection selection, bool typesOnly)
{
    private readonly List<string> _values = [];

    /// <summary>Writes what may be read and is wanted of a node.</summary>
    public void Write(MatchContext match)
    {
        var (node, level) = (match.Node, match.Level);
        var writer = ResponseWriter.Begin(id);
        writer.PushSequence(LdapTags.SearchResultEntry);
        ResponseWriter.WriteText(writer, node.Name);
        writer.PushSequence();
        var attributes = NodeAttributes.Of(node);
        foreach (var (type, source) in attributes.All)
        {
            if (!selection.Contains(type) || !ReadableAttributes.Contains(level, type))
                continue;
            _values.Clear();
            source(node, _values);
            WriteAttribute(writer, type.Name, _values);
        }

        if (node.OwnEntry is { Attributes: { Count: > 0 } further })
        {
            foreach (var (key, values) in further)
            {
                if (!attributes.Owns(key) && selection.ContainsFurther(key) && match.MayRead(key))
                    WriteAttribute(writer, NameOf(key), values);
            }
        }

        writer.PopSequence();
        writer.PopSequence(LdapTags.SearchResultEntry);
        ResponseWriter.End(writer, output);
    }

    /// <summary>The name as the schema writes it.</summary>
    private static string NameOf(string key)
    {
        int end = key.IndexOf(';', StringComparison.Ordinal);
        return LdapSchema.FindAttribute(end < 0 ? key : key.AsSpan(0, end)) is { } type ? end < 0 ? type.Name : type.Name + key[end..] : key;
    }

    private void WriteAttribute(AsnWriter writer, string name, IReadOnlyList<string> values)
    {
        if (values.Count == 0)
            return;
        writer.PushSequence();
        ResponseWriter.WriteText(writer, name);
        writer.PushSetOf();
        if (!typesOnly)
        {
            foreach (var value in values)
                ResponseWriter.WriteText(writer, value);
        }

        writer.PopSetOf();
        writer.PopSequence();
    }
}
