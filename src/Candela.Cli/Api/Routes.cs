namespace Candela.Cli.Api;

/// <summary>Targets of the REST API, version 1.</summary>
internal static class Routes
{
    public const string Status = "/v1/status";
    public const string Containers = "/v1/containers";
    public const string Images = "/v1/images";
    public const string Machine = "/v1/machine";
    public const string Parents = "/v1/parents";
    public const string Tasks = "/v1/tasks";
    public const string Events = "/v1/events";

    public static string Container(string reference, string? action = null) => Join(Containers, reference, action);

    public static string Exec(string id, string? action = null) => Join("/v1/execs", id, action);

    public static string Image(string reference, string? action = null) => Join(Images, reference, action);

    public static string Parent(string key) => Join(Parents, key, null);

    /// <summary>Adds a query; null values are left out.</summary>
    public static string Query(string target, params (string Name, string? Value)[] parameters)
    {
        string query = string.Join('&', parameters
            .Where(parameter => parameter.Value is not null)
            .Select(parameter => $"{parameter.Name}={Uri.EscapeDataString(parameter.Value!)}"));
        return query.Length > 0 ? $"{target}?{query}" : target;
    }

    /// <summary>A value for a flag in a query: <c>true</c> or left out.</summary>
    public static string? Flag(bool value) => value ? "true" : null;

    private static string Join(string collection, string reference, string? action) =>
        $"{collection}/{Uri.EscapeDataString(reference)}{(action is null ? "" : "/" + action)}";
}
