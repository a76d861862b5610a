using System.Formats.Asn1;

namespace Candela.Identity.Ldap.Protocol;

/// <summary>Tags of RFC 4511's ASN.1 module (appendix B).</summary>
internal static class LdapTags
{
    public static readonly Asn1Tag BindRequest = Application(0);
    public static readonly Asn1Tag BindResponse = Application(1);
    public static readonly Asn1Tag UnbindRequest = Application(2, constructed: false);
    public static readonly Asn1Tag SearchRequest = Application(3);
    public static readonly Asn1Tag SearchResultEntry = Application(4);
    public static readonly Asn1Tag SearchResultDone = Application(5);
    public static readonly Asn1Tag ModifyRequest = Application(6);
    public static readonly Asn1Tag ModifyResponse = Application(7);
    public static readonly Asn1Tag AddRequest = Application(8);
    public static readonly Asn1Tag AddResponse = Application(9);
    public static readonly Asn1Tag DelRequest = Application(10, constructed: false);
    public static readonly Asn1Tag DelResponse = Application(11);
    public static readonly Asn1Tag ModifyDnRequest = Application(12);
    public static readonly Asn1Tag ModifyDnResponse = Application(13);
    public static readonly Asn1Tag CompareRequest = Application(14);
    public static readonly Asn1Tag CompareResponse = Application(15);
    public static readonly Asn1Tag AbandonRequest = Application(16, constructed: false);
    public static readonly Asn1Tag ExtendedRequest = Application(23);
    public static readonly Asn1Tag ExtendedResponse = Application(24);

    /// <summary>A context-specific tag.</summary>
    public static Asn1Tag Context(int number, bool constructed = false) => new(TagClass.ContextSpecific, number, constructed);

    private static Asn1Tag Application(int number, bool constructed = true) => new(TagClass.Application, number, constructed);
}
