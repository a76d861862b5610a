namespace Candela.Identity.Ldif;

/// <summary>An entry of an LDIF file (RFC 2849).</summary>
/// <param name="Line">Line that it begins at, from 1; 0: not from a file.</param>
/// <param name="Name">Distinguished name (RFC 4514).</param>
/// <param name="Attributes">Attributes in order; the same name may come again.</param>
internal sealed record LdifRecord(int Line, string Name, IReadOnlyList<(string Name, string Value)> Attributes)
{
    /// <summary>Values of an attribute, whatever the case of its name.</summary>
    public IEnumerable<string> Values(string name) => Attributes.Where(a => string.Equals(a.Name, name, StringComparison.OrdinalIgnoreCase)).Select(a => a.Value);

    /// <summary>First value of an attribute.</summary>
    public string? Value(string name) => Values(name).FirstOrDefault();
}
