using System.Text.Json;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Images;
using Microsoft.Extensions.Primitives;

namespace Candela.Docker.Images;

/// <summary><c>--change</c> of docker import and commit: instructions of a Dockerfile that set an image's configuration.</summary>
internal static class ImportChanges
{
    public static ImageConfiguration Read(StringValues changes) => Read(changes, new ImageConfiguration());

    /// <summary>The changes over a configuration.</summary>
    public static ImageConfiguration Read(StringValues changes, ImageConfiguration result)
    {
        foreach (var change in changes)
        {
            foreach (var line in (change ?? "").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                result = Apply(result, line);
        }

        return result;
    }

    private static ImageConfiguration Apply(ImageConfiguration configuration, string line)
    {
        var space = line.IndexOfAny([' ', '\t']);
        var instruction = (space < 0 ? line : line[..space]).ToUpperInvariant();
        var rest = space < 0 ? "" : line[(space + 1)..].Trim();
        if (rest.Length == 0)
            throw DockerException.BadRequest($"{instruction} requires at least one argument");
        switch (instruction)
        {
            case "CMD":
                return configuration with { Command = Words(rest) };
            case "ENTRYPOINT":
                return configuration with { Entrypoint = Words(rest) };
            case "ENV":
                var (name, value) = Pair(rest);
                return configuration with
                {
                    Environment = [.. configuration.Environment.Where(known => !known.StartsWith(name + "=", StringComparison.Ordinal)), $"{name}={value}"],
                };
            case "LABEL":
                var (label, text) = Pair(rest);
                return configuration with { Labels = new Dictionary<string, string>(configuration.Labels, StringComparer.Ordinal) { [label] = text } };
            case "EXPOSE":
                return configuration with
                {
                    ExposedPorts = [.. configuration.ExposedPorts,
                        .. rest.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static port => port.Contains('/', StringComparison.Ordinal) ? port : port + "/tcp")],
                };
            case "USER":
                return configuration with { User = rest };
            case "VOLUME":
                return configuration with { Volumes = [.. configuration.Volumes, .. rest[0] == '[' ? Words(rest) : [.. rest.Split(' ', StringSplitOptions.RemoveEmptyEntries)]] };
            case "WORKDIR":
                return configuration with { WorkingDirectory = rest };
            case "STOPSIGNAL":
                return configuration with { StopSignal = rest };
            default:
                throw DockerException.BadRequest($"{instruction} is not a valid change command");
        }
    }

    /// <summary>The list form, or the shell form, which runs in a shell.</summary>
    private static List<string> Words(string text)
    {
        if (text[0] != '[')
            return ["/bin/sh", "-c", text];
        try
        {
            return JsonSerializer.Deserialize(text, DockerJson.Default.ListString) ?? [];
        }
        catch (JsonException e)
        {
            throw DockerException.BadRequest($"invalid list in a change: {e.Message}");
        }
    }

    private static (string Name, string Value) Pair(string text)
    {
        var at = text.IndexOfAny(['=', ' ']);
        if (at <= 0)
            throw DockerException.BadRequest($"a change needs NAME=value: {text}");
        return (text[..at].Trim('"'), text[(at + 1)..].Trim().Trim('"'));
    }
}
