using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Candela.Images.Registry;

/// <summary>One challenge of a <c>WWW-Authenticate</c> header (RFC 9110, 11.6.1), for example <c>Bearer realm="…",service="…",scope="…"</c>.</summary>
/// <param name="Scheme">Scheme as sent; compare without regard to case.</param>
/// <param name="Parameters">Parameters by name, without regard to case; the first of equal names counts.</param>
internal sealed record AuthenticationChallenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    private const int MaximumHeaderLength = 16 * 1024;

    /// <summary>Whether this is a challenge of the given scheme.</summary>
    public bool Is(string scheme) => Scheme.Equals(scheme, StringComparison.OrdinalIgnoreCase);

    /// <summary>The parameter of that name, null when it is absent or empty.</summary>
    public string? this[string name] => Parameters.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    /// <summary>The challenges of a response.</summary>
    public static IReadOnlyList<AuthenticationChallenge> Of(HttpResponseMessage response)
        => response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var values) ? Parse(values) : [];

    /// <summary>Reads every challenge of the header's values. What cannot be understood ends the value it stands in.</summary>
    public static IReadOnlyList<AuthenticationChallenge> Parse(IEnumerable<string> values)
    {
        var challenges = new List<AuthenticationChallenge>();
        foreach (var value in values)
        {
            if (value.Length <= MaximumHeaderLength)
                new Reader(value).ReadAll(challenges);
        }

        return challenges;
    }

    private struct Reader(string text)
    {
        private int _position;

        public void ReadAll(List<AuthenticationChallenge> challenges)
        {
            SkipSeparators();
            while (TryReadToken(out var scheme))
            {
                var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
                challenges.Add(new AuthenticationChallenge(scheme, parameters));
                SkipSpaces();
                ReadParameters(parameters);
                SkipSeparators();
            }
        }

        /// <summary>Reads "name=value" pairs up to the next scheme, which is a token that no "=" follows.</summary>
        private void ReadParameters(Dictionary<string, string> parameters)
        {
            while (true)
            {
                SkipSeparators();
                var start = _position;
                if (!TryReadToken(out var name))
                    return;
                SkipSpaces();
                if (!TryTake('='))
                {
                    _position = start;
                    return;
                }

                SkipSpaces();
                if (!TryReadValue(out var value))
                    return;
                parameters.TryAdd(name, value);
            }
        }

        private bool TryReadValue([NotNullWhen(true)] out string? value)
        {
            if (!TryTake('"'))
                return TryReadToken(out value);
            var unescaped = new StringBuilder();
            while (_position < text.Length)
            {
                var character = text[_position++];
                if (character == '"')
                {
                    value = unescaped.ToString();
                    return true;
                }

                if (character == '\\' && _position < text.Length)
                    character = text[_position++];
                unescaped.Append(character);
            }

            value = null;
            return false;
        }

        private bool TryReadToken([NotNullWhen(true)] out string? token)
        {
            var start = _position;
            while (_position < text.Length && IsTokenCharacter(text[_position]))
                _position++;
            token = _position > start ? text[start.._position] : null;
            return token is not null;
        }

        private bool TryTake(char character)
        {
            if (_position >= text.Length || text[_position] != character)
                return false;
            _position++;
            return true;
        }

        private void SkipSpaces()
        {
            while (_position < text.Length && text[_position] is ' ' or '\t')
                _position++;
        }

        private void SkipSeparators()
        {
            while (_position < text.Length && text[_position] is ' ' or '\t' or ',')
                _position++;
        }

        // Unquoted values often hold URLs, which strict tokens do not allow.
        private static bool IsTokenCharacter(char character) => character is > ' ' and not (',' or '=' or '"' or (char)127);
    }
}
