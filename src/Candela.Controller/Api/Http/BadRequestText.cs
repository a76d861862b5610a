using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace Candela.Controller.Api.Http;

/// <summary>Words what the framework found wrong with a request, without the names of our types.</summary>
internal static partial class BadRequestText
{
    private const int ValueCharacters = 64;

    public static string Of(BadHttpRequestException error)
    {
        if (error.InnerException is JsonException json)
            return Of(json);
        if (error.StatusCode == StatusCodes.Status415UnsupportedMediaType)
            return "the body must be application/json";
        var parameter = FailedParameter().Match(error.Message);
        if (parameter.Success)
            return $"the parameter {parameter.Groups["name"].Value} cannot be \"{Shorten(parameter.Groups["value"].Value)}\"";
        parameter = MissingParameter().Match(error.Message);
        if (parameter.Success)
            return $"the parameter {parameter.Groups["name"].Value} is required";
        if (error.Message.StartsWith("Implicit body inferred", StringComparison.Ordinal))
            return "a body is required";
        return error.Message;
    }

    private static string Of(JsonException error)
    {
        var unknown = UnknownMember().Match(error.Message);
        if (unknown.Success)
            return $"the body has an unknown member \"{unknown.Groups["name"].Value}\"{At(error)}";
        var missing = MissingMembers().Match(error.Message);
        if (missing.Success)
            return $"the body lacks {missing.Groups["names"].Value.TrimEnd('.')}{At(error)}";
        var where = error.LineNumber is { } line ? $" (line {line + 1}, byte {error.BytePositionInLine + 1})" : "";
        return $"the body is not the JSON expected{At(error)}{where}";
    }

    private static string Shorten(string value) => value.Length <= ValueCharacters ? value : value[..ValueCharacters] + "…";

    private static string At(JsonException error) => error.Path is { Length: > 0 } path and not "$" ? $" at {path}" : "";

    [GeneratedRegex("""^Failed to bind parameter "[^"]* (?<name>[^" ]+)" from "(?<value>.*)"\.?$""", RegexOptions.Singleline)]
    private static partial Regex FailedParameter();

    [GeneratedRegex("""^Required parameter "[^"]* (?<name>[^" ]+)" was not provided from""")]
    private static partial Regex MissingParameter();

    [GeneratedRegex("""^The JSON property '(?<name>[^']{1,128})' could not be mapped to any \.NET member""")]
    private static partial Regex UnknownMember();

    [GeneratedRegex("""missing required properties including: (?<names>[^.]+)""")]
    private static partial Regex MissingMembers();
}
