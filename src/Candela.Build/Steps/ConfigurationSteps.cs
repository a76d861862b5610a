using System.Globalization;
using Candela.Build.Dockerfiles;
using Candela.Images;
using Candela.Model;

namespace Candela.Build.Steps;

/// <summary>Instructions that change an image's configuration only.</summary>
internal static class ConfigurationSteps
{
    /// <summary>The configuration after an instruction, and how the history tells of it.</summary>
    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public static (ImageConfiguration Configuration, string Told) Apply(Instruction instruction, StageState stage, char escape)
    {
        ImageConfiguration before = stage.Configuration;
        Substitution substitution = stage.Substitution;
        switch (instruction.Keyword)
        {
            case "ENV":
                IReadOnlyList<string> environment = before.Environment;
                List<string> set = [];
                foreach ((string rawName, string rawValue) in Words.Pairs(instruction, escape))
                {
                    (string name, string value) = (substitution.Expand(rawName), substitution.Expand(rawValue));
                    if (name.Length == 0)
                        throw DockerfileException.Syntax(instruction.Line, "ENV names can not be blank");
                    environment = StageState.WithVariable(environment, name, value);
                    set.Add($"{name}={value}");
                }

                return (before with { Environment = environment }, $"ENV {string.Join(' ', set)}");
            case "LABEL":
                return Label(instruction, stage, escape);
            case "EXPOSE":
                List<string> ports = [.. substitution.ExpandWords(instruction.Arguments).Order(StringComparer.Ordinal)];
                return (before with { ExposedPorts = [.. before.ExposedPorts.Union(ports.SelectMany(port => Port(port, instruction.Line)))] }, $"EXPOSE {string.Join(' ', ports)}");
            case "USER":
                string user = substitution.Expand(instruction.Arguments);
                return (before with { User = user }, $"USER {user}");
            case "VOLUME":
                IReadOnlyList<string> volumes = [.. (Words.ParseList(instruction.Arguments) ?? Words.SplitPlainly(instruction.Arguments)).Select(substitution.Expand).Select(static volume => volume.Trim())];
                if (volumes.Any(static volume => volume.Length == 0))
                    throw DockerfileException.Syntax(instruction.Line, "VOLUME specified can not be an empty string");
                return (before with { Volumes = [.. before.Volumes.Union(volumes)] }, $"VOLUME [{string.Join(' ', volumes)}]");
            case "STOPSIGNAL":
                string signal = substitution.Expand(instruction.Arguments);
                return (before with { StopSignal = signal }, $"STOPSIGNAL {signal}");
            case "SHELL":
                IReadOnlyList<string> shell = Words.ParseList(instruction.Arguments) is { Count: > 0 } list ? list
                    : throw DockerfileException.Syntax(instruction.Line, "SHELL requires the arguments to be in JSON form");
                return (before with { Shell = shell }, $"SHELL [{string.Join(' ', shell)}]");
            case "CMD":
                stage.HasCommand = true;
                IReadOnlyList<string> command = Command(instruction.Arguments, stage);
                return (before with { Command = command }, $"CMD {Quoted(command)}");
            case "ENTRYPOINT":
                IReadOnlyList<string> entrypoint = Command(instruction.Arguments, stage);
                return (before with { Entrypoint = entrypoint, Command = stage.HasCommand ? before.Command : null }, $"ENTRYPOINT {Quoted(entrypoint)}");
            case "HEALTHCHECK":
                HealthCheck check = HealthCheckOf(instruction, stage);
                return (before with { HealthCheck = check }, $"HEALTHCHECK {string.Join(' ', instruction.Flags.Select(static flag => $"--{flag.Name}={flag.Value}").Append(string.Join(' ', check.Test)))}");
            case "ONBUILD":
                Instruction trigger = DockerfileParser.ParseLine(instruction.Arguments, instruction.Line);
                if (trigger.Keyword is "ONBUILD")
                    throw DockerfileException.Syntax(instruction.Line, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
                if (trigger.Keyword is "FROM" or "MAINTAINER")
                    throw DockerfileException.Syntax(instruction.Line, $"{trigger.Keyword} isn't allowed as an ONBUILD trigger");
                return (before with { OnBuild = [.. before.OnBuild, instruction.Arguments] }, $"ONBUILD {instruction.Arguments}");
            case "MAINTAINER":
                stage.Author = substitution.Expand(instruction.Arguments);
                return (before, $"MAINTAINER {stage.Author}");
            default:
                throw DockerfileException.Syntax(instruction.Line, $"unknown instruction: {instruction.Keyword}");
        }
    }

    private static (ImageConfiguration Configuration, string Told) Label(Instruction instruction, StageState stage, char escape)
    {
        Dictionary<string, string> labels = new(stage.Configuration.Labels, StringComparer.Ordinal);
        List<string> set = [];
        foreach ((string rawName, string rawValue) in Words.Pairs(instruction, escape))
        {
            (string name, string value) = (stage.Substitution.Expand(rawName), stage.Substitution.Expand(rawValue));
            labels[name] = value;
            set.Add($"{name}={value}");
        }

        return (stage.Configuration with { Labels = labels }, $"LABEL {string.Join(' ', set)}");
    }

    private static IReadOnlyList<string> Command(string arguments, StageState stage) =>
        Words.ParseList(arguments) ?? (arguments.Length == 0 ? [] : [.. stage.Shell, arguments]);

    private static string Quoted(IReadOnlyList<string> words) => $"[{string.Join(' ', words.Select(static word => $"\"{word}\""))}]";

    private static IEnumerable<string> Port(string text, int line)
    {
        string[] parts = text.Split('/');
        string protocol = parts.Length > 1 ? parts[1].ToLowerInvariant() : "tcp";
        string[] range = parts[0].Split('-');
        if (parts.Length > 2 || protocol is not ("tcp" or "udp" or "sctp") || range.Length > 2 || !TryPort(range[0], out int first) || !TryPort(range[^1], out int last) || last < first)
            throw DockerfileException.Syntax(line, $"invalid containerPort: {DockerfileException.Shorten(text)}");
        return Enumerable.Range(first, last - first + 1).Select(port => string.Create(CultureInfo.InvariantCulture, $"{port}/{protocol}"));
    }

    private static bool TryPort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= 65535;

    private static HealthCheck HealthCheckOf(Instruction instruction, StageState stage)
    {
        int space = instruction.Arguments.AsSpan().IndexOfAny(' ', '\t');
        string kind = (space < 0 ? instruction.Arguments : instruction.Arguments[..space]).ToUpperInvariant();
        string rest = space < 0 ? "" : instruction.Arguments[space..].Trim();
        if (kind == "NONE")
            return rest.Length == 0 ? new HealthCheck { Test = ["NONE"] } : throw DockerfileException.Syntax(instruction.Line, "HEALTHCHECK NONE takes no arguments");
        if (kind != "CMD")
            throw DockerfileException.Syntax(instruction.Line, $"Unknown type \"{DockerfileException.Shorten(kind)}\" in HEALTHCHECK (try CMD)");
        if (rest.Length == 0)
            throw DockerfileException.Syntax(instruction.Line, "Missing command after HEALTHCHECK CMD");
        foreach ((string name, _) in instruction.Flags)
        {
            if (name is not ("interval" or "timeout" or "start-period" or "start-interval" or "retries"))
                throw DockerfileException.Syntax(instruction.Line, $"Unknown flag: {DockerfileException.Shorten(name)}");
        }

        _ = stage;
        return new HealthCheck
        {
            Test = Words.ParseList(rest) is { } list ? ["CMD", .. list] : ["CMD-SHELL", rest],
            IntervalMilliseconds = Duration(instruction, "interval"),
            TimeoutMilliseconds = Duration(instruction, "timeout"),
            StartPeriodMilliseconds = Duration(instruction, "start-period"),
            StartIntervalMilliseconds = Duration(instruction, "start-interval"),
            Retries = instruction.Flag("retries") is not { } text ? 0
                : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int retries) ? retries
                : throw DockerfileException.Syntax(instruction.Line, $"--retries is no number: {DockerfileException.Shorten(text)}"),
        };
    }

    /// <summary>A time as Go reads it, for example <c>1m30s</c>, in milliseconds; 0: absent.</summary>
    private static long Duration(Instruction instruction, string name)
    {
        if (instruction.Flag(name) is not { } text)
            return 0;
        double milliseconds = 0;
        string rest = text;
        while (rest.Length > 0)
        {
            int digits = rest.TakeWhile(static c => char.IsAsciiDigit(c) || c == '.').Count();
            int letters = rest.Skip(digits).TakeWhile(static c => char.IsAsciiLetter(c) || c == 'µ').Count();
            double? unit = rest.Substring(digits, letters) switch { "h" => 3_600_000, "m" => 60_000, "s" => 1000, "ms" => 1, "us" or "µs" => 0.001, "ns" => 0.000001, "" when rest == "0" => 0, _ => null };
            if (unit is null || !double.TryParse(rest.AsSpan(0, digits), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double count) || count > 1e9)
                throw DockerfileException.Syntax(instruction.Line, $"time: invalid duration \"{DockerfileException.Shorten(text)}\"");
            milliseconds += count * unit.Value;
            rest = rest[(digits + letters)..];
        }

        return milliseconds is 0 or >= 1 ? (long)milliseconds : throw DockerfileException.Syntax(instruction.Line, $"Interval \"{name}\" cannot be less than 1ms");
    }
}
