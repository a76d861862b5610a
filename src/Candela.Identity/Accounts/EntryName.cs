using System.Buffers;
using Candela.Model;

namespace Candela.Identity.Accounts;

/// <summary>
/// Rules of names. ASCII only, so that no two names look alike: letters, digits, <c>.</c>, <c>_</c> and <c>-</c>, beginning with a letter,
/// digit or <c>_</c>. Names that differ only in case are the same.
/// </summary>
public static class EntryName
{
    private static readonly SearchValues<char> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    private static readonly SearchValues<char> LabelAllowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>How names are compared and ordered.</summary>
    public static StringComparer Comparer => StringComparer.OrdinalIgnoreCase;

    /// <summary>The form that is equal for equal names.</summary>
    public static string Fold(string name) => name.ToLowerInvariant();

    /// <summary>The name could be an entry's.</summary>
    public static bool IsValid(EntryKind kind, string? name) =>
        !string.IsNullOrEmpty(name) && name.Length <= MaximumLength(kind) && !name.AsSpan().ContainsAnyExcept(Allowed) && name[0] is not ('.' or '-');

    /// <exception cref="CandelaException">InvalidArgument.</exception>
    internal static void Check(EntryKind kind, string? name)
    {
        if (!IsValid(kind, name))
        {
            throw new CandelaException(
                ErrorCode.InvalidArgument,
                $"A name has 1 to {MaximumLength(kind)} of the characters A-Z a-z 0-9 . _ - and does not begin with . or -: choose another one");
        }
    }

    /// <exception cref="CandelaException">InvalidArgument.</exception>
    internal static void CheckDomain(string? name)
    {
        if (string.IsNullOrEmpty(name) || name.Length > 63 || name.AsSpan().ContainsAnyExcept(LabelAllowed) || name[0] == '-' || name[^1] == '-')
            throw new CandelaException(ErrorCode.InvalidArgument, "A domain's name has 1 to 63 of the characters a-z 0-9 - and does not begin or end with -: choose another one");
    }

    private static int MaximumLength(EntryKind kind) => kind == EntryKind.Machine ? AccountLimits.MachineNameLength : AccountLimits.NameLength;
}
