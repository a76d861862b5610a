using System.Globalization;
using System.Text.RegularExpressions;
using Candela.Docker.Http;
using Candela.Model;

namespace Candela.Docker.Containers;

/// <summary>Log drivers and their options.</summary>
internal static partial class LogTranslation
{
    private const long LocalMaxSizeBytes = 20_000_000;
    private const int LocalMaxFiles = 5;

    private static readonly string[] JsonFileOptions = ["max-file", "max-size", "compress", "labels", "labels-regex", "env", "env-regex", "tag", "mode", "max-buffer-size"];
    private static readonly string[] LocalOptions = ["max-file", "max-size", "compress", "mode", "max-buffer-size"];

    /// <summary>Go's units.FromHumanSize: decimal.</summary>
    [GeneratedRegex("^([0-9]+(?:\\.[0-9]+)?) ?([kmgtp]?)(i?b)?$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Size { get; }

    public static LogConfiguration Translate(LogConfigRequest? request)
    {
        var driver = request?.Type switch
        {
            null or "" or "json-file" => LogDriver.JsonFile,
            "local" => LogDriver.Local,
            "none" => LogDriver.None,
            var other => throw DockerException.BadRequest($"error looking up logging plugin {other}: plugin \"{other}\" not found"),
        };
        var options = (request?.Config ?? []).ToDictionary(static pair => pair.Key, static pair => pair.Value ?? "", StringComparer.Ordinal);
        if (driver == LogDriver.None)
            return new LogConfiguration { Driver = driver, Options = options };
        foreach (var name in options.Keys)
        {
            if (!(driver == LogDriver.Local ? LocalOptions : JsonFileOptions).Contains(name))
                throw DockerException.BadRequest($"unknown log opt '{name}' for {Text(driver)} log driver");
        }

        if (options.GetValueOrDefault("mode") is not (null or "blocking"))
            throw DockerException.NotSupported($"log mode {options["mode"]} (--log-opt mode) is");
        var local = driver == LogDriver.Local;
        return new LogConfiguration
        {
            Driver = driver,
            MaxSizeBytes = options.TryGetValue("max-size", out var size) ? Bytes(size) : local ? LocalMaxSizeBytes : 0,
            MaxFiles = options.TryGetValue("max-file", out var files) ? Count(files) : local ? LocalMaxFiles : 1,
            Options = options,
        };
    }

    public static string Text(LogDriver driver) => driver switch
    {
        LogDriver.Local => "local",
        LogDriver.None => "none",
        _ => "json-file",
    };

    private static long Bytes(string text)
    {
        if (text == "-1")
            return 0;
        var match = Size.Match(text);
        if (!match.Success || !double.TryParse(match.Groups[1].Value, CultureInfo.InvariantCulture, out var number))
            throw DockerException.BadRequest($"invalid size: '{text}'");
        var factor = match.Groups[2].Value.ToLowerInvariant() switch { "k" => 1e3, "m" => 1e6, "g" => 1e9, "t" => 1e12, "p" => 1e15, _ => 1 };
        return (long)Math.Min(number * factor, 1e18);
    }

    private static int Count(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is > 0 and <= Limits.LogFileCount
        ? count
        : throw DockerException.BadRequest($"max-file cannot be less than 1, nor more than {Limits.LogFileCount}");
}
