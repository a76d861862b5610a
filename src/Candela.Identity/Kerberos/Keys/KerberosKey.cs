namespace Candela.Identity.Kerberos.Keys;

/// <summary>A long-term key.</summary>
/// <param name="Type">Encryption type.</param>
/// <param name="Value">The key.</param>
internal sealed record KerberosKey(KeyType Type, byte[] Value)
{
    /// <summary>Says nothing of the key.</summary>
    public override string ToString() => $"{Type}";
}
