using System.Globalization;
using System.Text;

namespace Candela.Identity.Ldap.Schema;

/// <summary>Where in an assertion a text stands: decides what becomes of its outer spaces (RFC 4518, 2.6.1).</summary>
internal enum TextPlace
{
    /// <summary>A value, or a whole assertion.</summary>
    Whole,

    /// <summary>First part of a substring assertion.</summary>
    Initial,

    /// <summary>Part between others.</summary>
    Any,

    /// <summary>Last part.</summary>
    Final,
}

/// <summary>
/// Prepares texts for comparison (RFC 4518): map, prohibit, and put spaces in order. Prepared texts are compared character by character.
/// Unicode normalization (2.3) is left out: the runtime does without its tables, and names in this directory are ASCII.
/// </summary>
internal static class StringPreparation
{
    /// <summary>Most characters that a text of this many can have when prepared.</summary>
    public static int MaximumLength(int length) => 2 * length + 2;

    /// <summary>Prepares.</summary>
    /// <param name="text">Text.</param>
    /// <param name="foldCase">Without regard to case.</param>
    /// <param name="place">What it is.</param>
    /// <param name="destination">At least <see cref="MaximumLength"/>.</param>
    /// <returns>Length; -1: the text has what is prohibited.</returns>
    public static int Prepare(ReadOnlySpan<char> text, bool foldCase, TextPlace place, Span<char> destination)
    {
        int length = 0;
        bool pending = false; // spaces that are not written yet
        bool begun = false;
        if (place is TextPlace.Whole or TextPlace.Initial)
            destination[length++] = ' ';
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            Rune rune;
            if (char.IsAscii(c))
            {
                if (c > ' ' && c != '\x7f')
                {
                    WriteSpace(destination, ref length, ref pending, ref begun, place);
                    destination[length++] = foldCase && char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c;
                    continue;
                }

                rune = new Rune(c);
            }
            else
            {
                if (Rune.DecodeFromUtf16(text[i..], out rune, out int consumed) != System.Buffers.OperationStatus.Done)
                    return -1; // half of a pair
                i += consumed - 1;
            }

            switch (Classify(rune))
            {
                case RuneClass.Space:
                    pending = true;
                    break;
                case RuneClass.Prohibited:
                    return -1;
                case RuneClass.Ordinary:
                    WriteSpace(destination, ref length, ref pending, ref begun, place);
                    length += (foldCase ? Rune.ToLowerInvariant(rune) : rune).EncodeToUtf16(destination[length..]);
                    break;
            }
        }

        return End(destination, length, pending, begun, place);
    }

    /// <summary>Between words are two spaces; at the edge of a part that had some, one (RFC 4518, 2.6.1).</summary>
    private static void WriteSpace(Span<char> destination, ref int length, ref bool pending, ref bool begun, TextPlace place)
    {
        if (pending)
        {
            if (begun)
                destination[length++] = ' ';
            if (begun || place is TextPlace.Any or TextPlace.Final)
                destination[length++] = ' ';
        }

        pending = false;
        begun = true;
    }

    private static int End(Span<char> destination, int length, bool pending, bool begun, TextPlace place)
    {
        if (!begun)
        {
            // Only spaces, or nothing: two spaces as a value, one as a part.
            destination[0] = ' ';
            if (place == TextPlace.Whole)
                destination[1] = ' ';
            return place == TextPlace.Whole ? 2 : 1;
        }

        if (place is TextPlace.Whole or TextPlace.Final || pending)
            destination[length++] = ' ';
        return length;
    }

    private static RuneClass Classify(Rune rune)
    {
        int value = rune.Value;
        if (value is ' ' or (>= 0x09 and <= 0x0d) or 0x85 or 0xa0 or 0x1680 or (>= 0x2000 and <= 0x200a) or 0x2028 or 0x2029 or 0x202f or 0x205f or 0x3000)
            return RuneClass.Space;

        // 2.2: controls, soft hyphen, joiners, variation selectors and the object replacement character are mapped to nothing.
        if (value is < 0x20 or (>= 0x7f and <= 0x9f) or 0xad or 0x34f or 0x1806 or 0x180e or (>= 0x180b and <= 0x180d) or (>= 0x200b and <= 0x200f) or
            (>= 0x202a and <= 0x202e) or (>= 0x2060 and <= 0x2064) or (>= 0x206a and <= 0x206f) or (>= 0xfe00 and <= 0xfe0f) or 0xfeff or (>= 0xfff9 and <= 0xfffc))
            return RuneClass.Nothing;

        // 2.4: private use, what is not assigned, and the replacement character.
        if (value == 0xfffd || Rune.GetUnicodeCategory(rune) is UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate)
            return RuneClass.Prohibited;
        return RuneClass.Ordinary;
    }

    private enum RuneClass
    {
        Ordinary,
        Space,
        Nothing,
        Prohibited,
    }
}
