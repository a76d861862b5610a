using System.Text;
using System.Text.Json;

namespace Candela.Build.Dockerfiles;

/// <summary>Takes the arguments of instructions apart.</summary>
internal static class Words
{
    /// <summary>The list form, <c>["a", "b"]</c>; null when the text is no such list, which makes it the shell form.</summary>
    public static IReadOnlyList<string>? ParseList(string text)
    {
        if (!text.StartsWith('['))
            return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 2 });
            return document.RootElement.EnumerateArray().All(static element => element.ValueKind == JsonValueKind.String)
                ? [.. document.RootElement.EnumerateArray().Select(static element => element.GetString()!)]
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Cuts at white space, whatever the quotes, as COPY, ADD, VOLUME and EXPOSE are read.</summary>
    public static IReadOnlyList<string> SplitPlainly(string text) => text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Cuts at white space; quotes hold together and stay, an escaped character loses its meaning and its escape stays.</summary>
    public static IReadOnlyList<string> Split(string text, char escape)
    {
        List<string> words = [];
        StringBuilder word = new();
        char quote = '\0';
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == escape && i + 1 < text.Length && quote != '\'')
            {
                word.Append(c).Append(text[++i]);
            }
            else if (quote != '\0')
            {
                word.Append(c);
                if (c == quote)
                    quote = '\0';
            }
            else if (c is '"' or '\'')
            {
                quote = c;
                word.Append(c);
            }
            else if (c is ' ' or '\t')
            {
                if (word.Length > 0)
                    words.Add(word.ToString());
                word.Clear();
            }
            else
            {
                word.Append(c);
            }
        }

        if (word.Length > 0)
            words.Add(word.ToString());
        return words;
    }

    /// <summary>The pairs of ENV and LABEL: <c>a=b c="d e"</c>, or of old <c>a b c</c>, which sets one. Quotes and escapes are still in them.</summary>
    /// <exception cref="Model.CandelaException">InvalidArgument.</exception>
    public static IReadOnlyList<(string Name, string Value)> Pairs(Instruction instruction, char escape)
    {
        IReadOnlyList<string> words = Split(instruction.Arguments, escape);
        if (words.Count == 0)
            throw DockerfileException.Syntax(instruction.Line, $"{instruction.Keyword} requires at least one argument");
        if (!words[0].Contains('=', StringComparison.Ordinal))
        {
            int space = instruction.Arguments.AsSpan().IndexOfAny(' ', '\t');
            return space > 0
                ? [(instruction.Arguments[..space], instruction.Arguments[space..].Trim())]
                : throw DockerfileException.Syntax(instruction.Line, $"{instruction.Keyword} must have two arguments");
        }

        List<(string, string)> pairs = [];
        foreach (string word in words)
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
                throw DockerfileException.Syntax(instruction.Line, $"Syntax error - can't find = in \"{DockerfileException.Shorten(word)}\". Must be of the form: name=value");
            if (equals == 0)
                throw DockerfileException.Syntax(instruction.Line, $"{instruction.Keyword} names can not be blank");
            pairs.Add((word[..equals], word[(equals + 1)..]));
        }

        return pairs;
    }
}
