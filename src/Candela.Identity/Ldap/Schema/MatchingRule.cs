namespace Candela.Identity.Ldap.Schema;

/// <summary>What a rule is for.</summary>
internal enum MatchingUse
{
    Equality,
    Ordering,
    Substrings,
}

/// <summary>
/// A matching rule (RFC 4512, 4.1.3): brings values into a form in which they are equal, ordered and parts of each other character by
/// character.
/// </summary>
internal abstract class MatchingRule
{
    /// <summary>Longest value that is prepared on the stack, characters.</summary>
    protected const int StackLength = 512;

    /// <summary>Object identifier.</summary>
    public required string Oid { get; init; }

    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Syntax of what is asserted.</summary>
    public required Syntax Syntax { get; init; }

    /// <summary>What it is for.</summary>
    public required MatchingUse Use { get; init; }

    /// <summary>Prepares a value or a part of an assertion.</summary>
    /// <param name="value">Value.</param>
    /// <param name="place">What it is.</param>
    /// <param name="destination">At least <see cref="MaximumLength"/> characters.</param>
    /// <returns>Length; -1: not a value of the syntax, which makes the assertion undefined.</returns>
    public abstract int Prepare(ReadOnlySpan<char> value, TextPlace place, Span<char> destination);

    /// <summary>Most characters of a prepared value of this many.</summary>
    public virtual int MaximumLength(int length) => length;

    /// <summary>Order of prepared values.</summary>
    public virtual int Compare(ReadOnlySpan<char> one, ReadOnlySpan<char> other) => one.SequenceCompareTo(other);

    /// <summary>A value in its prepared form; null: not a value of the syntax.</summary>
    public string? Prepare(ReadOnlySpan<char> value, TextPlace place = TextPlace.Whole)
    {
        int maximum = MaximumLength(value.Length);
        var buffer = maximum <= StackLength ? stackalloc char[StackLength] : new char[maximum];
        int length = Prepare(value, place, buffer);
        return length < 0 ? null : buffer[..length].ToString();
    }

    /// <summary>A value is equal to a prepared one.</summary>
    public bool AreEqual(string value, string prepared)
    {
        int maximum = MaximumLength(value.Length);
        var buffer = maximum <= StackLength ? stackalloc char[StackLength] : new char[maximum];
        int length = Prepare(value, TextPlace.Whole, buffer);
        return length == prepared.Length && buffer[..length].SequenceEqual(prepared);
    }

    /// <inheritdoc/>
    public override string ToString() => $"( {Oid} NAME '{Name}' SYNTAX {Syntax.Oid} )";
}
