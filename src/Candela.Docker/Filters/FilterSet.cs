using System.Text.Json;
using System.Text.RegularExpressions;
using Candela.Docker.Http;
using Microsoft.AspNetCore.Http;

namespace Candela.Docker.Filters;

/// <summary>
/// The <c>filters</c> query value: <c>{"status":["running"]}</c>, or the older <c>{"status":{"running":true}}</c>.
/// Values of one key are alternatives; keys must all hold (labels: every one).
/// </summary>
internal sealed class FilterSet
{
    private const int CharactersMaximum = 64 * 1024;
    private static readonly TimeSpan PatternDeadline = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<string, List<string>> _values = new(StringComparer.Ordinal);

    public static FilterSet Parse(IQueryCollection query, params ReadOnlySpan<string> accepted) => Parse(query.Text("filters"), accepted);

    public static FilterSet Parse(string? text, params ReadOnlySpan<string> accepted)
    {
        var set = new FilterSet();
        if (string.IsNullOrEmpty(text))
            return set;
        if (text.Length > CharactersMaximum)
            throw DockerException.BadRequest($"invalid filter: longer than {CharactersMaximum} characters");
        try
        {
            using var json = JsonDocument.Parse(text);
            if (json.RootElement.ValueKind == JsonValueKind.Null)
                return set;
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                throw DockerException.BadRequest("invalid filter: an object is expected");
            foreach (var member in json.RootElement.EnumerateObject())
                set._values[member.Name] = Values(member.Value);
        }
        catch (JsonException e)
        {
            throw DockerException.BadRequest($"invalid filter: {e.Message}");
        }

        foreach (var key in set._values.Keys)
        {
            if (!accepted.Contains(key))
                throw DockerException.BadRequest($"invalid filter '{key}'");
        }

        return set;
    }

    public bool Has(string key) => _values.ContainsKey(key);

    public IReadOnlyList<string> this[string key] => _values.TryGetValue(key, out var values) ? values : [];

    /// <summary>The key is absent, or one of its values holds.</summary>
    public bool Any(string key, Func<string, bool> holds) => !_values.TryGetValue(key, out var values) || values.Any(holds);

    /// <summary>The key is absent, or all of its values hold.</summary>
    public bool All(string key, Func<string, bool> holds) => !_values.TryGetValue(key, out var values) || values.All(holds);

    /// <summary>A truth value, or null when absent.</summary>
    public bool? Flag(string key)
    {
        if (!_values.TryGetValue(key, out var values))
            return null;
        return values switch
        {
            ["1"] or ["true"] or ["True"] or ["TRUE"] or ["t"] or ["T"] => true,
            ["0"] or ["false"] or ["False"] or ["FALSE"] or ["f"] or ["F"] => false,
            _ => throw DockerException.BadRequest($"invalid filter '{key}={string.Join(',', values)}'"),
        };
    }

    /// <summary><c>name</c> or <c>name=value</c> against labels.</summary>
    public bool Labels(IReadOnlyDictionary<string, string> labels, string key = "label") => All(key, label => HasLabel(labels, label));

    /// <summary>No label of <c>label!</c> is there.</summary>
    public bool NoLabels(IReadOnlyDictionary<string, string> labels) => All("label!", label => !HasLabel(labels, label));

    /// <summary>A regular expression (or plain text) found in the value, within a deadline.</summary>
    public static bool Matches(string pattern, string value)
    {
        try
        {
            return Regex.IsMatch(value, pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, PatternDeadline);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException or RegexMatchTimeoutException)
        {
            return value.Contains(pattern, StringComparison.Ordinal);
        }
    }

    private static bool HasLabel(IReadOnlyDictionary<string, string> labels, string label)
    {
        var equals = label.IndexOf('=', StringComparison.Ordinal);
        return equals < 0
            ? labels.ContainsKey(label)
            : labels.TryGetValue(label[..equals], out var value) && value == label[(equals + 1)..];
    }

    private static List<string> Values(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                return [];
            case JsonValueKind.Array:
                return [.. value.EnumerateArray().Select(static item =>
                    item.ValueKind == JsonValueKind.String ? item.GetString()! : throw DockerException.BadRequest("invalid filter: values must be strings"))];
            case JsonValueKind.Object:
                return [.. value.EnumerateObject().Where(static item => item.Value.ValueKind == JsonValueKind.True).Select(static item => item.Name)];
            default:
                throw DockerException.BadRequest("invalid filter: a list of values is expected");
        }
    }
}
