using System.Text;
using System.Text.RegularExpressions;

namespace Candela.Build.Dockerfiles;

/// <summary>
/// Replaces variables in words as Dockerfiles have them (Dockerfile reference, environment replacement), and takes quotes and escapes
/// away: <c>$v</c>, <c>${v}</c>, and of the forms with a word <c>:- - :+ + :? ? # ## % %% / //</c>.
/// </summary>
/// <param name="value">Gives a variable's value, or null.</param>
/// <param name="escape">The file's escape character.</param>
internal sealed class Substitution(Func<string, string?> value, char escape)
{
    private const int DepthMaximum = 32;
    private const int LengthMaximum = 1 << 20;

    private string _text = "";
    private int _position;
    private int _depth;

    /// <summary>Replaces in one word, which may hold white space.</summary>
    /// <exception cref="Model.CandelaException">InvalidArgument.</exception>
    public string Expand(string word)
    {
        (_text, _position, _depth) = (word, 0, 0);
        return Read('\0');
    }

    /// <summary>Replaces in a word and cuts what variables bring at white space, as EXPOSE needs.</summary>
    public IReadOnlyList<string> ExpandWords(string text) =>
        [.. Words.SplitPlainly(text).SelectMany(word => Expand(word).Split(' ', StringSplitOptions.RemoveEmptyEntries))];

    /// <summary>Replaces variables only: quotes mean nothing in a here-document.</summary>
    public string ExpandHeredoc(string content)
    {
        StringBuilder result = new();
        (_text, _position, _depth) = (content, 0, 0);
        while (_position < _text.Length)
        {
            char c = _text[_position];
            if (c == escape && _position + 1 < _text.Length && _text[_position + 1] is '$' or '\\' or '`')
            {
                result.Append(_text[_position + 1]);
                _position += 2;
            }
            else if (c == '$')
            {
                result.Append(Dollar());
            }
            else
            {
                result.Append(c);
                _position++;
            }

            Limit(result);
        }

        return result.ToString();
    }

    private string Read(char end)
    {
        if (++_depth > DepthMaximum)
            throw DockerfileException.Invalid($"variables are nested more than {DepthMaximum} deep");
        StringBuilder result = new();
        while (_position < _text.Length && (end == '\0' || _text[_position] != end))
        {
            char c = _text[_position];
            switch (c)
            {
                case '\'':
                    result.Append(SingleQuoted());
                    break;
                case '"':
                    result.Append(DoubleQuoted());
                    break;
                case '$':
                    result.Append(Dollar());
                    break;
                default:
                    _position++;
                    if (c == escape)
                    {
                        if (_position == _text.Length)
                        {
                            result.Append(c);
                            break;
                        }

                        c = _text[_position++];
                    }

                    result.Append(c);
                    break;
            }

            Limit(result);
        }

        _depth--;
        return result.ToString();
    }

    private string SingleQuoted()
    {
        int end = _text.IndexOf('\'', _position + 1);
        if (end < 0)
            throw DockerfileException.Invalid("unexpected end of statement while looking for matching single-quote");
        string content = _text[(_position + 1)..end];
        _position = end + 1;
        return content;
    }

    private string DoubleQuoted()
    {
        StringBuilder result = new();
        _position++;
        while (_position < _text.Length)
        {
            char c = _text[_position];
            if (c == '"')
            {
                _position++;
                return result.ToString();
            }

            if (c == '$')
            {
                result.Append(Dollar());
                Limit(result);
                continue;
            }

            _position++;
            if (c == escape && _position < _text.Length)
            {
                char next = _text[_position];
                if (next == '"' || next == '$' || next == escape)
                {
                    _position++;
                    c = next;
                }
            }

            result.Append(c);
        }

        throw DockerfileException.Invalid("unexpected end of statement while looking for matching double-quote");
    }

    private string Dollar()
    {
        _position++;
        if (_position == _text.Length)
            return "$";
        if (_text[_position] != '{')
        {
            string plain = Name();
            return plain.Length == 0 ? "$" : value(plain) ?? "";
        }

        _position++;
        string name = Name();
        if (name.Length == 0 || _position == _text.Length)
            throw DockerfileException.Invalid("bad substitution");
        if (Take("}"))
            return value(name) ?? "";
        string? present = value(name);
        if (Take(":-"))
            return Closed() is var absent && !string.IsNullOrEmpty(present) ? present : absent;
        if (Take("-"))
            return Closed() is var absent && present is not null ? present : absent;
        if (Take(":+"))
            return Closed() is var instead && !string.IsNullOrEmpty(present) ? instead : "";
        if (Take("+"))
            return Closed() is var instead && present is not null ? instead : "";
        if (Take(":?"))
            return Closed() is var why && !string.IsNullOrEmpty(present) ? present : throw Missing(name, why);
        if (Take("?"))
            return Closed() is var why && present is not null ? present : throw Missing(name, why);
        if (Take("##"))
            return Trim(present ?? "", Closed(), fromStart: true, longest: true);
        if (Take("#"))
            return Trim(present ?? "", Closed(), fromStart: true, longest: false);
        if (Take("%%"))
            return Trim(present ?? "", Closed(), fromStart: false, longest: true);
        if (Take("%"))
            return Trim(present ?? "", Closed(), fromStart: false, longest: false);
        if (Take("//"))
            return Replace(present ?? "", all: true);
        if (Take("/"))
            return Replace(present ?? "", all: false);
        throw DockerfileException.Invalid($"unsupported modifier ({_text[_position]}) in substitution");
    }

    private string Closed()
    {
        string word = Read('}');
        return Take("}") ? word : throw DockerfileException.Invalid("syntax error: missing '}'");
    }

    private string Replace(string present, bool all)
    {
        string pattern = Read('/');
        if (!Take("/"))
            throw DockerfileException.Invalid("syntax error: missing '/' in ${}");
        string replacement = Closed();
        Regex regex = new(Glob(pattern, greedy: true), Options);
        return regex.Replace(present, _ => replacement, all ? -1 : 1);
    }

    private static string Trim(string present, string pattern, bool fromStart, bool longest)
    {
        // Of a suffix the match is found from the end on, so the shortest is the one that starts last.
        if (fromStart)
            return new Regex("^" + Glob(pattern, longest), Options).Replace(present, "", 1);
        Regex suffix = new("^" + Glob(pattern, greedy: true) + "\\z", Options);
        for (int i = 0; i <= present.Length; i++)
        {
            int start = longest ? i : present.Length - i;
            if (suffix.IsMatch(present[start..]))
                return present[..start];
        }

        return present;
    }

    private const RegexOptions Options = RegexOptions.CultureInvariant | RegexOptions.NonBacktracking | RegexOptions.Singleline;

    private static string Glob(string pattern, bool greedy)
    {
        StringBuilder regex = new();
        for (int i = 0; i < pattern.Length; i++)
        {
            regex.Append(pattern[i] switch
            {
                '*' => greedy ? ".*" : ".*?",
                '?' => ".",
                '\\' when i + 1 < pattern.Length => Regex.Escape(pattern[++i].ToString()),
                var c => Regex.Escape(c.ToString()),
            });
        }

        return regex.ToString();
    }

    private string Name()
    {
        int start = _position;
        if (_position < _text.Length && (char.IsAsciiDigit(_text[_position]) || _text[_position] is '@' or '*' or '#'))
            return _text[_position++].ToString();
        while (_position < _text.Length && (char.IsAsciiLetterOrDigit(_text[_position]) || _text[_position] == '_'))
            _position++;
        return _text[start.._position];
    }

    private bool Take(string token)
    {
        if (!_text.AsSpan(_position).StartsWith(token))
            return false;
        _position += token.Length;
        return true;
    }

    private static void Limit(StringBuilder result)
    {
        if (result.Length > LengthMaximum)
            throw DockerfileException.Invalid($"a word becomes longer than {LengthMaximum} characters");
    }

    private static Model.CandelaException Missing(string name, string why) =>
        DockerfileException.Invalid($"{name}: {(why.Length > 0 ? DockerfileException.Shorten(why) : "parameter not set")}");
}
