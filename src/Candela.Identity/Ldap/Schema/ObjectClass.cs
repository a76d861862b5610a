using System.Text;

namespace Candela.Identity.Ldap.Schema;

/// <summary>Kind of an object class (RFC 4512, 2.4).</summary>
internal enum ObjectClassKind
{
    Abstract,
    Structural,
    Auxiliary,
}

/// <summary>An object class (RFC 4512, 4.1.1).</summary>
/// <param name="Oid">Object identifier.</param>
/// <param name="Name">Name.</param>
/// <param name="Kind">Kind.</param>
/// <param name="Superior">Class that this is a special case of; null: only <c>top</c> itself.</param>
/// <param name="Must">What its entries must have.</param>
/// <param name="May">What its entries may have.</param>
internal sealed record ObjectClass(string Oid, string Name, ObjectClassKind Kind, ObjectClass? Superior, AttributeType[] Must, AttributeType[] May)
{
    /// <summary>ObjectClassDescription (RFC 4512, 4.1.1).</summary>
    public override string ToString()
    {
        var text = new StringBuilder($"( {Oid} NAME '{Name}'");
        if (Superior is not null)
            text.Append($" SUP {Superior.Name}");
        text.Append($" {Kind.ToString().ToUpperInvariant()}");
        Attributes("MUST", Must);
        Attributes("MAY", May);
        return text.Append(" )").ToString();

        void Attributes(string what, AttributeType[] types)
        {
            if (types.Length > 0)
                text.Append($" {what} {(types.Length == 1 ? types[0].Name : $"( {string.Join(" $ ", types.Select(type => type.Name))} )")}");
        }
    }
}
