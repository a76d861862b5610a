namespace Candela.Identity.Ldap.Names;

/// <summary>An attribute and its value in a relative name.</summary>
/// <param name="Type">Attribute type as given: a name or an object identifier.</param>
/// <param name="Value">Value, unescaped.</param>
internal readonly record struct NamePart(string Type, string Value);
