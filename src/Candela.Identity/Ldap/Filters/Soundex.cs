namespace Candela.Identity.Ldap.Filters;

/// <summary>Words by their sound: the Soundex code (National Archives, "The Soundex Indexing System").</summary>
internal static class Soundex
{
    private const int CodeLength = 4;

    // Of A to Z; 0: none. H and W do not part letters of the same sound.
    private const string Sounds = "01230120022455012623010202";

    /// <summary>Codes of a text's words.</summary>
    public static IEnumerable<string> Codes(string text)
    {
        int start = -1;
        for (int i = 0; i <= text.Length; i++)
        {
            bool inWord = i < text.Length && char.IsLetterOrDigit(text[i]);
            if (inWord && start < 0)
                start = i;
            if (inWord || start < 0)
                continue;
            yield return Code(text.AsSpan(start, i - start));
            start = -1;
        }
    }

    private static string Code(ReadOnlySpan<char> word)
    {
        Span<char> code = stackalloc char[CodeLength];
        code.Fill('0');
        int length = 0;
        char former = '0';
        foreach (char c in word)
        {
            char letter = char.ToUpperInvariant(c);
            if (!char.IsAsciiLetterUpper(letter))
                return word.ToString().ToUpperInvariant(); // only letters have a sound
            char sound = Sounds[letter - 'A'];
            if (length == 0)
                code[length++] = letter;
            else if (sound != '0' && sound != former)
                code[length++] = sound;
            if (letter is not ('H' or 'W'))
                former = sound;
            if (length == CodeLength)
                break;
        }

        return code.ToString();
    }
}
