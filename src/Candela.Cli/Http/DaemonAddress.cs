namespace Candela.Cli.Http;

/// <summary>Where a daemon is, and how it is told who calls.</summary>
internal abstract class DaemonAddress
{
    /// <summary>For the header Host (RFC 9110, section 7.2).</summary>
    public abstract string Host { get; }

    /// <summary>Makes a connection.</summary>
    /// <exception cref="DaemonUnreachableException">Nobody answers there, or not the one that was asked for.</exception>
    public abstract Transport Connect();

    /// <summary>Value of the header Authorization; null: none.</summary>
    public virtual string? Authorization() => null;

    /// <summary>What to do about a 401; null: nothing helps.</summary>
    public virtual string? SignInHint => null;

    /// <summary>As people write it.</summary>
    public abstract override string ToString();
}
