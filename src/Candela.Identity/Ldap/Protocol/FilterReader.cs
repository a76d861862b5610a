namespace Candela.Identity.Ldap.Protocol;

/// <summary>Reads filters, bounded in depth and terms.</summary>
internal ref struct FilterReader
{
    private int _termCount;

    /// <exception cref="LdapProtocolException">Malformed.</exception>
    /// <exception cref="LdapException">Beyond a limit: refuses the search alone.</exception>
    public static LdapFilter Read(ref BerReader reader) => new FilterReader().Read(ref reader, depth: 1);

    private LdapFilter Read(ref BerReader reader, int depth)
    {
        if (depth > LdapLimits.FilterDepth)
            throw new LdapException(ResultCode.UnwillingToPerform, $"a filter is nested at most {LdapLimits.FilterDepth} deep");
        if (++_termCount > LdapLimits.FilterTermCount)
            throw new LdapException(ResultCode.UnwillingToPerform, $"a filter has at most {LdapLimits.FilterTermCount} terms");
        var tag = reader.PeekTag();
        if (tag.TagClass != System.Formats.Asn1.TagClass.ContextSpecific)
            throw new LdapProtocolException("not a filter");
        switch (tag.TagValue)
        {
            case 0: return new AndFilter(ReadTerms(reader.ReadConstructed(LdapTags.Context(0, constructed: true)), depth));
            case 1: return new OrFilter(ReadTerms(reader.ReadConstructed(LdapTags.Context(1, constructed: true)), depth));
            case 2:
                var inner = reader.ReadConstructed(LdapTags.Context(2, constructed: true));
                var term = Read(ref inner, depth + 1);
                inner.End();
                return new NotFilter(term);
            case 3: return ReadComparison(ref reader, 3, Comparison.Equal);
            case 4: return ReadSubstring(reader.ReadConstructed(LdapTags.Context(4, constructed: true)));
            case 5: return ReadComparison(ref reader, 5, Comparison.GreaterOrEqual);
            case 6: return ReadComparison(ref reader, 6, Comparison.LessOrEqual);
            case 7: return new PresentFilter(BerReader.Text(reader.Read(LdapTags.Context(7))));
            case 8: return ReadComparison(ref reader, 8, Comparison.Approximate);
            case 9: return ReadExtensible(reader.ReadConstructed(LdapTags.Context(9, constructed: true)));
            default: throw new LdapProtocolException("not a filter");
        }
    }

    private LdapFilter[] ReadTerms(BerReader reader, int depth)
    {
        var terms = new List<LdapFilter>();
        while (!reader.IsAtEnd)
            terms.Add(Read(ref reader, depth + 1));
        return [.. terms];
    }

    private static ComparisonFilter ReadComparison(ref BerReader reader, int number, Comparison comparison)
    {
        var inner = reader.ReadConstructed(LdapTags.Context(number, constructed: true));
        var filter = new ComparisonFilter(comparison, inner.ReadText(), inner.ReadOctets().ToArray());
        inner.End();
        return filter;
    }

    private static SubstringFilter ReadSubstring(BerReader reader)
    {
        var attribute = reader.ReadText();
        var parts = reader.ReadSequence();
        reader.End();
        byte[]? initial = null, final = null;
        var any = new List<byte[]>();
        int count = 0;
        while (!parts.IsAtEnd)
        {
            if (++count > LdapLimits.SubstringPartCount)
                throw new LdapException(ResultCode.UnwillingToPerform, $"a substring assertion has at most {LdapLimits.SubstringPartCount} parts");
            int which = parts.PeekTag().TagValue;
            var part = parts.Read(LdapTags.Context(which)).ToArray();
            if (part.Length == 0)
                throw new LdapProtocolException("a part of a substring assertion is empty");
            if (which == 0 && count == 1)
                initial = part;
            else if (which == 1 && final is null)
                any.Add(part);
            else if (which == 2 && final is null)
                final = part;
            else
                throw new LdapProtocolException("parts of a substring assertion are out of order");
        }

        return count > 0 ? new SubstringFilter(attribute, initial, any, final) : throw new LdapProtocolException("a substring assertion has no parts");
    }

    private static ExtensibleFilter ReadExtensible(BerReader reader)
    {
        var rule = reader.NextIs(LdapTags.Context(1)) ? BerReader.Text(reader.Read(LdapTags.Context(1))) : null;
        var attribute = reader.NextIs(LdapTags.Context(2)) ? BerReader.Text(reader.Read(LdapTags.Context(2))) : null;
        var value = reader.Read(LdapTags.Context(3)).ToArray();
        bool withNameAttributes = reader.NextIs(LdapTags.Context(4)) && reader.ReadBoolean(LdapTags.Context(4));
        reader.End();
        return rule is not null || attribute is not null
            ? new ExtensibleFilter(rule, attribute, value, withNameAttributes)
            : throw new LdapProtocolException("an extensible assertion names neither rule nor attribute");
    }
}
