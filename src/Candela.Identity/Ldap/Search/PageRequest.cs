using System.Formats.Asn1;
using Candela.Identity.Ldap.Protocol;

namespace Candela.Identity.Ldap.Search;

/// <summary>The control of paged results (RFC 2696).</summary>
/// <param name="Size">Entries of the page; 0: no more are wanted.</param>
/// <param name="Cookie">Where to go on; null: at the beginning.</param>
internal sealed record PageRequest(int Size, PageCookie? Cookie)
{
    /// <summary>Reads it; null: there is none.</summary>
    /// <exception cref="LdapException">The cookie is not one of ours.</exception>
    /// <exception cref="LdapProtocolException">Malformed.</exception>
    public static PageRequest? Read(IReadOnlyList<LdapControl> controls)
    {
        foreach (var control in controls)
        {
            if (control.Type != LdapOids.PagedResults)
                continue;
            var reader = new BerReader(control.Value ?? throw new LdapProtocolException("the control of paged results has no value"));
            var inner = reader.ReadSequence();
            reader.End();
            int size = inner.ReadInteger(0, int.MaxValue);
            var cookie = inner.ReadOctets();
            inner.End();
            if (cookie.IsEmpty)
                return new PageRequest(size, null);
            return PageCookie.Decode(cookie) is { } position
                ? new PageRequest(size, position)
                : throw new LdapException(ResultCode.UnwillingToPerform, "the cookie is not one of this server: begin the search anew");
        }

        return null;
    }

    /// <summary>The control of the answer.</summary>
    /// <param name="next">Where the next page begins; null: this was the last.</param>
    public static LdapControl Answer(PageCookie? next)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        writer.PushSequence();
        writer.WriteInteger(0); // how many there are is not known
        writer.WriteOctetString(next?.Encode() ?? []);
        writer.PopSequence();
        return new LdapControl(LdapOids.PagedResults, false, writer.Encode());
    }
}
