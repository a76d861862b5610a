namespace Candela.Identity.Ldif;

/// <summary>A file is not the LDIF that can be read here. The message says where and why.</summary>
public sealed class LdifFormatException(int line, string message) : Exception($"line {line}: {message}")
{
    /// <summary>Line, from 1.</summary>
    public int Line { get; } = line;
}
