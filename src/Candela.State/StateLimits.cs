using System.Text;

namespace Candela.State;

/// <summary>Limits of a state store.</summary>
public static class StateLimits
{
    /// <summary>Longest key, bytes of UTF-8.</summary>
    public const int KeyBytes = 1024;

    /// <summary>Largest value, bytes.</summary>
    public const int ValueBytes = 1024 * 1024;

    /// <summary>Most expectations and writes of one transaction.</summary>
    public const int TransactionCount = 4096;

    /// <summary>Most entries of one page.</summary>
    public const int PageCount = 1000;

    /// <summary>Longest life of a lease without renewal.</summary>
    public static readonly TimeSpan LeaseTimeToLive = TimeSpan.FromDays(1);

    internal static void CheckKey(string key)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        if (Encoding.UTF8.GetByteCount(key) > KeyBytes)
            throw new ArgumentException($"A key has at most {KeyBytes} bytes.", nameof(key));
    }
}
