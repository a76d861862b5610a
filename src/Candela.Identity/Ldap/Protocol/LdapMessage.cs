using System.Formats.Asn1;

namespace Candela.Identity.Ldap.Protocol;

/// <summary>A request with its number and controls (RFC 4511, 4.1.1).</summary>
/// <param name="Id">Number that the answers have.</param>
/// <param name="Request">Request.</param>
/// <param name="Controls">Controls.</param>
internal sealed record LdapMessage(int Id, LdapRequest Request, IReadOnlyList<LdapControl> Controls);

/// <summary>A control (RFC 4511, 4.1.11).</summary>
/// <param name="Type">Object identifier.</param>
/// <param name="IsCritical">The operation must be refused where the control is not known.</param>
/// <param name="Value">Value; null: none.</param>
internal sealed record LdapControl(string Type, bool IsCritical, byte[]? Value);

/// <summary>What a client asks for.</summary>
internal abstract record LdapRequest;

/// <summary>Bind (RFC 4511, 4.2).</summary>
/// <param name="Version">Version of the protocol.</param>
/// <param name="Name">Name of the account; empty with SASL.</param>
/// <param name="Password">Password of a simple bind; null: SASL.</param>
/// <param name="Mechanism">SASL mechanism; null: simple.</param>
/// <param name="Credentials">SASL credentials; null: none.</param>
internal sealed record BindRequest(int Version, string Name, byte[]? Password, string? Mechanism, byte[]? Credentials) : LdapRequest
{
    /// <summary>Says nothing of the password.</summary>
    public override string ToString() => nameof(BindRequest);
}

/// <summary>Unbind (RFC 4511, 4.3).</summary>
internal sealed record UnbindRequest : LdapRequest;

/// <summary>How far a search goes (RFC 4511, 4.5.1.2).</summary>
internal enum SearchScope
{
    BaseObject,
    SingleLevel,
    WholeSubtree,
}

/// <summary>Search (RFC 4511, 4.5.1). There are no aliases, so that their dereferencing means nothing.</summary>
/// <param name="BaseName">Where.</param>
/// <param name="Scope">How far.</param>
/// <param name="SizeLimit">Most entries; 0: as many as the server gives.</param>
/// <param name="TimeLimitSeconds">Longest, seconds; 0: as long as the server takes.</param>
/// <param name="TypesOnly">Without values.</param>
/// <param name="Filter">Which.</param>
/// <param name="Attributes">What of them; none: all user attributes.</param>
internal sealed record SearchRequest(
    string BaseName, SearchScope Scope, int SizeLimit, int TimeLimitSeconds, bool TypesOnly, LdapFilter Filter, IReadOnlyList<string> Attributes) : LdapRequest;

/// <summary>An attribute with values (RFC 4511, 4.1.7).</summary>
internal sealed record AttributeValues(string Attribute, IReadOnlyList<byte[]> Values);

/// <summary>What is done to an attribute (RFC 4511, 4.6; RFC 4525).</summary>
internal enum ModificationKind
{
    Add = 0,
    Delete = 1,
    Replace = 2,
    Increment = 3,
}

/// <summary>One modification.</summary>
internal sealed record Modification(ModificationKind Kind, AttributeValues Attribute);

/// <summary>Modify (RFC 4511, 4.6).</summary>
internal sealed record ModifyRequest(string Name, IReadOnlyList<Modification> Modifications) : LdapRequest;

/// <summary>Add (RFC 4511, 4.7).</summary>
internal sealed record AddRequest(string Name, IReadOnlyList<AttributeValues> Attributes) : LdapRequest;

/// <summary>Delete (RFC 4511, 4.8).</summary>
internal sealed record DeleteRequest(string Name) : LdapRequest;

/// <summary>Modify DN (RFC 4511, 4.9).</summary>
internal sealed record ModifyDnRequest(string Name, string NewRelativeName, bool DeleteOldRelativeName, string? NewSuperior) : LdapRequest;

/// <summary>Compare (RFC 4511, 4.10).</summary>
internal sealed record CompareRequest(string Name, string Attribute, byte[] Value) : LdapRequest;

/// <summary>Abandon (RFC 4511, 4.11).</summary>
internal sealed record AbandonRequest(int Id) : LdapRequest;

/// <summary>Extended operation (RFC 4511, 4.12).</summary>
internal sealed record ExtendedRequest(string Name, byte[]? Value) : LdapRequest
{
    /// <summary>Says nothing of the value, which may be a password.</summary>
    public override string ToString() => $"{nameof(ExtendedRequest)} {Name}";
}

/// <summary>A well-formed request that is beyond a limit: it gets this result and the connection goes on.</summary>
/// <param name="Response">The response that it gets; null: none.</param>
/// <param name="Result">Result.</param>
internal sealed record RefusedRequest(Asn1Tag? Response, LdapResult Result) : LdapRequest;
