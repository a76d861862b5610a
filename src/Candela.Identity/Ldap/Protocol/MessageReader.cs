using System.Formats.Asn1;

namespace Candela.Identity.Ldap.Protocol;

/// <summary>Reads messages of clients (RFC 4511, 4.1.1).</summary>
internal static class MessageReader
{
    /// <summary>Greatest number of a message, and of everything else (maxInt).</summary>
    private const int NumberMaximum = int.MaxValue;

    /// <exception cref="LdapProtocolException">Not LDAP: the connection must end.</exception>
    public static LdapMessage Read(ReadOnlySpan<byte> data)
    {
        var outer = new BerReader(data);
        var reader = outer.ReadSequence();
        outer.End();
        int id = reader.ReadInteger(0, NumberMaximum);
        if (id == 0)
            throw new LdapProtocolException("the number 0 is for messages of the server");
        var tag = reader.PeekTag();
        LdapRequest request;
        try
        {
            request = ReadRequest(ref reader, tag);
        }
        catch (LdapException e)
        {
            request = new RefusedRequest(ResponseOf(tag.TagValue), e.Result);
            return new LdapMessage(id, request, []);
        }

        var controls = reader.IsAtEnd ? [] : ReadControls(reader.ReadConstructed(LdapTags.Context(0, constructed: true)));
        reader.End(); // RFC 4511, 4: what may be added in the future comes within the request
        return new LdapMessage(id, request, controls);
    }

    /// <summary>Those that have limits of their own.</summary>
    private static Asn1Tag? ResponseOf(int request) => request switch
    {
        3 => LdapTags.SearchResultDone,
        6 => LdapTags.ModifyResponse,
        8 => LdapTags.AddResponse,
        _ => null,
    };

    private static LdapRequest ReadRequest(ref BerReader reader, Asn1Tag tag)
    {
        if (tag.TagClass != TagClass.Application)
            throw new LdapProtocolException("not a request");
        return tag.TagValue switch
        {
            0 => ReadBind(reader.ReadConstructed(LdapTags.BindRequest)),
            2 => reader.Read(LdapTags.UnbindRequest).IsEmpty ? new UnbindRequest() : throw new LdapProtocolException("an unbind request is empty"),
            3 => ReadSearch(reader.ReadConstructed(LdapTags.SearchRequest)),
            6 => ReadModify(reader.ReadConstructed(LdapTags.ModifyRequest)),
            8 => ReadAdd(reader.ReadConstructed(LdapTags.AddRequest)),
            10 => new DeleteRequest(BerReader.Text(reader.Read(LdapTags.DelRequest))),
            12 => ReadModifyDn(reader.ReadConstructed(LdapTags.ModifyDnRequest)),
            14 => ReadCompare(reader.ReadConstructed(LdapTags.CompareRequest)),
            16 => ReadAbandon(reader.Read(LdapTags.AbandonRequest)),
            23 => ReadExtended(reader.ReadConstructed(LdapTags.ExtendedRequest)),
            _ => throw new LdapProtocolException("not a request"),
        };
    }

    private static BindRequest ReadBind(BerReader reader)
    {
        int version = reader.ReadInteger(1, 127);
        var name = reader.ReadText();
        if (reader.NextIs(LdapTags.Context(0)))
        {
            var password = reader.Read(LdapTags.Context(0)).ToArray();
            reader.End();
            return new BindRequest(version, name, password, null, null);
        }

        var sasl = reader.ReadConstructed(LdapTags.Context(3, constructed: true));
        reader.End();
        var mechanism = sasl.ReadText();
        var credentials = sasl.IsAtEnd ? null : sasl.ReadOctets().ToArray();
        sasl.End();
        return new BindRequest(version, name, null, mechanism, credentials);
    }

    private static SearchRequest ReadSearch(BerReader reader)
    {
        var baseName = reader.ReadText();
        var scope = (SearchScope)reader.ReadEnumerated(2);
        reader.ReadEnumerated(3); // derefAliases
        int sizeLimit = reader.ReadInteger(0, NumberMaximum);
        int timeLimit = reader.ReadInteger(0, NumberMaximum);
        bool typesOnly = reader.ReadBoolean();
        var filter = FilterReader.Read(ref reader);
        var selection = reader.ReadSequence();
        reader.End();
        var attributes = new List<string>();
        while (!selection.IsAtEnd)
        {
            Bound(attributes.Count, LdapLimits.AttributeSelectionCount, "attributes to return", "a search");
            attributes.Add(selection.ReadText());
        }

        return new SearchRequest(baseName, scope, sizeLimit, timeLimit, typesOnly, filter, attributes);
    }

    private static ModifyRequest ReadModify(BerReader reader)
    {
        var name = reader.ReadText();
        var changes = reader.ReadSequence();
        reader.End();
        var modifications = new List<Modification>();
        while (!changes.IsAtEnd)
        {
            Bound(modifications.Count, LdapLimits.ModificationCount, "modifications", "a request");
            var change = changes.ReadSequence();
            var kind = (ModificationKind)change.ReadEnumerated(3);
            modifications.Add(new Modification(kind, ReadAttribute(change.ReadSequence())));
            change.End();
        }

        return new ModifyRequest(name, modifications);
    }

    private static AddRequest ReadAdd(BerReader reader)
    {
        var name = reader.ReadText();
        var list = reader.ReadSequence();
        reader.End();
        var attributes = new List<AttributeValues>();
        while (!list.IsAtEnd)
        {
            Bound(attributes.Count, LdapLimits.ModificationCount, "attributes", "a request");
            attributes.Add(ReadAttribute(list.ReadSequence()));
        }

        return new AddRequest(name, attributes);
    }

    private static AttributeValues ReadAttribute(BerReader reader)
    {
        var attribute = reader.ReadText();
        var set = reader.ReadSet();
        reader.End();
        var values = new List<byte[]>();
        while (!set.IsAtEnd)
        {
            Bound(values.Count, LdapLimits.ValueCount, "values", "an attribute of a request");
            values.Add(set.ReadOctets().ToArray());
        }

        return new AttributeValues(attribute, values);
    }

    private static ModifyDnRequest ReadModifyDn(BerReader reader)
    {
        var name = reader.ReadText();
        var newRelativeName = reader.ReadText();
        bool deleteOld = reader.ReadBoolean();
        var newSuperior = reader.IsAtEnd ? null : BerReader.Text(reader.Read(LdapTags.Context(0)));
        reader.End();
        return new ModifyDnRequest(name, newRelativeName, deleteOld, newSuperior);
    }

    private static CompareRequest ReadCompare(BerReader reader)
    {
        var name = reader.ReadText();
        var assertion = reader.ReadSequence();
        reader.End();
        var request = new CompareRequest(name, assertion.ReadText(), assertion.ReadOctets().ToArray());
        assertion.End();
        return request;
    }

    private static AbandonRequest ReadAbandon(ReadOnlySpan<byte> content) => new(BerReader.Number(content, 0, NumberMaximum));

    private static ExtendedRequest ReadExtended(BerReader reader)
    {
        var name = BerReader.Text(reader.Read(LdapTags.Context(0)));
        var value = reader.IsAtEnd ? null : reader.Read(LdapTags.Context(1)).ToArray();
        reader.End();
        return new ExtendedRequest(name, value);
    }

    private static List<LdapControl> ReadControls(BerReader reader)
    {
        var controls = new List<LdapControl>();
        while (!reader.IsAtEnd)
        {
            if (controls.Count == LdapLimits.ControlCount)
                throw new LdapProtocolException($"a message has at most {LdapLimits.ControlCount} controls");
            var control = reader.ReadSequence();
            var type = control.ReadText();
            bool isCritical = control.NextIs(Asn1Tag.Boolean) && control.ReadBoolean();
            var value = control.IsAtEnd ? null : control.ReadOctets().ToArray();
            control.End();
            controls.Add(new LdapControl(type, isCritical, value));
        }

        return controls;
    }

    private static void Bound(int count, int maximum, string what, string where)
    {
        if (count == maximum)
            throw new LdapException(ResultCode.AdminLimitExceeded, $"{where} has at most {maximum} {what}");
    }
}
