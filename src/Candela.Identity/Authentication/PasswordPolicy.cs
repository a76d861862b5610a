using Candela.Identity.Accounts;
using Candela.Model;

namespace Candela.Identity.Authentication;

/// <summary>What a domain asks of passwords, and how it meets guessing. Follows NIST SP 800-63B: length, no composition rules, no expiry by default.</summary>
public sealed record PasswordPolicy
{
    /// <summary>Longest password, bytes of UTF-8.</summary>
    public const int LengthMaximumBytes = 1024;

    /// <summary>Least length, characters; 8 to 128.</summary>
    public int MinimumLength { get; init; } = 12;

    /// <summary>How many former passwords must not come again; 0 to 24.</summary>
    public int HistoryCount { get; init; } = 5;

    /// <summary>Days after which a user's password must be changed, 1 to 3650; null: never.</summary>
    public int? MaximumAgeDays { get; init; }

    /// <summary>Failures in a row after which a name is locked, 1 to 1000; 0: never.</summary>
    public int LockoutThreshold { get; init; } = 10;

    /// <summary>Seconds of the first lock, 1 to 86,400. Each further failure doubles it.</summary>
    public int LockoutSeconds { get; init; } = 60;

    /// <summary>Longest lock, seconds; <see cref="LockoutSeconds"/> to 86,400.</summary>
    public int LockoutMaximumSeconds { get; init; } = 3600;

    /// <summary>Seconds after the last failure, or the end of the lock, after which failures are forgotten; 1 to 604,800.</summary>
    public int FailureWindowSeconds { get; init; } = 86_400;

    /// <exception cref="CandelaException">InvalidArgument.</exception>
    internal void Check()
    {
        CheckRange("minimum length", MinimumLength, 8, 128);
        CheckRange("history", HistoryCount, 0, 24);
        CheckRange("maximum age in days", MaximumAgeDays ?? 1, 1, 3650);
        CheckRange("lockout threshold", LockoutThreshold, 0, 1000);
        CheckRange("seconds of the first lock", LockoutSeconds, 1, 86_400);
        CheckRange("seconds of the longest lock", LockoutMaximumSeconds, LockoutSeconds, 86_400);
        CheckRange("failure window in seconds", FailureWindowSeconds, 1, 604_800);
    }

    /// <summary>The password is good enough for the account (its history is another matter).</summary>
    /// <exception cref="CandelaException">InvalidArgument.</exception>
    internal void CheckPassword(DirectoryEntry account, string password)
    {
        if (password.Length < MinimumLength)
            throw Weak($"A password has at least {MinimumLength} characters here: choose a longer one.");
        if (!IsBearable(password))
            throw Weak($"A password has at most {LengthMaximumBytes} bytes: choose a shorter one.");
        if (password.Distinct().Count() < 5)
            throw Weak("The password has too few different characters: choose another one.");
        if (password.Contains(account.Name, StringComparison.OrdinalIgnoreCase) && password.Length < MinimumLength + account.Name.Length)
            throw Weak("The password is little more than the account's name: choose another one.");
    }

    /// <summary>Not empty and not too long to be hashed.</summary>
    internal static bool IsBearable(string password) => password.Length is > 0 and <= LengthMaximumBytes && System.Text.Encoding.UTF8.GetByteCount(password) <= LengthMaximumBytes;

    private static void CheckRange(string what, int value, int minimum, int maximum)
    {
        if (value < minimum || value > maximum)
            throw new CandelaException(ErrorCode.InvalidArgument, $"A password policy's {what} is from {minimum} to {maximum}, not {value}.");
    }

    private static CandelaException Weak(string message) => new(ErrorCode.InvalidArgument, message);
}
