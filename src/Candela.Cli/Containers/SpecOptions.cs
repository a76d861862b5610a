using System.Globalization;
using Candela.Cli.CommandLine;
using Candela.Model;

namespace Candela.Cli.Containers;

/// <summary>The options of run and create, and the container that they describe.</summary>
internal static class SpecOptions
{
    private const int EnvFileBytesLimit = 1024 * 1024;

    public static readonly IReadOnlyList<Option> All =
    [
        new("interactive", "Keep standard input open") { Letter = 'i' },
        new("tty", "Give the process a terminal") { Letter = 't' },
        new("name", "Name of the container") { Value = "NAME" },
        new("env", "Set an environment variable; NAME alone takes this shell's value") { Letter = 'e', Value = "NAME=VALUE", Repeatable = true },
        new("env-file", "Read environment variables from a file") { Value = "FILE", Repeatable = true, Completes = Completes.Files },
        new("workdir", "Working directory") { Letter = 'w', Value = "PATH" },
        new("user", "User and group, by name or number") { Letter = 'u', Value = "USER[:GROUP]" },
        new("group-add", "Supplementary group") { Value = "GROUP", Repeatable = true },
        new("entrypoint", "Program in place of the image's entrypoint ('' clears it)") { Value = "PROGRAM" },
        new("memory", "Memory limit, for example 256m or 2g") { Letter = 'm', Value = "SIZE" },
        new("cpus", "CPU limit, for example 0.5 or 2") { Value = "NUMBER" },
        new("pids-limit", "Most processes") { Value = "NUMBER" },
        new("hostname", "Host name") { Letter = 'h', Value = "NAME" },
        new("label", "Label") { Letter = 'l', Value = "KEY[=VALUE]", Repeatable = true },
        new("read-only", "Make the root file system read-only"),
        new("tmpfs", "Mount a tmpfs") { Value = "PATH[:OPTIONS]", Repeatable = true },
        new("shm-size", "Size of /dev/shm") { Value = "SIZE" },
        new("ulimit", "Resource limit, for example nofile=1024:2048") { Value = "NAME=SOFT[:HARD]", Repeatable = true },
        new("sysctl", "Kernel parameter") { Value = "NAME=VALUE", Repeatable = true },
        new("cap-add", "Add a capability") { Value = "NAME", Repeatable = true },
        new("cap-drop", "Drop a capability") { Value = "NAME", Repeatable = true },
        new("privileged", "All capabilities, within its own VM"),
        new("add-host", "Extra line for /etc/hosts") { Value = "NAME:ADDRESS", Repeatable = true },
        new("stop-signal", "Signal that asks it to stop") { Value = "SIGNAL" },
        new("stop-timeout", "Seconds from the stop signal to the kill") { Value = "SECONDS" },
        new("restart", "no, always, unless-stopped or on-failure[:COUNT]") { Value = "POLICY", Completes = Completes.Words, Words = ["no", "always", "unless-stopped", "on-failure"] },
        new("rm", "Remove the container when it ends"),
        new("init", "Accepted: the guest's process 1 reaps in any case"),
        new("pull", "Pull the image: missing, always or never") { Value = "WHEN", Completes = Completes.Words, Words = ["missing", "always", "never"] },
        new("network", "Segment that it is connected to, or none (default: none, or bridge with --publish)") { Value = "SEGMENT", Completes = Completes.Segments },
        new("publish", "Port of the host that leads to one of the container; without HOST, and of a range for one PORT, a free one is chosen") { Letter = 'p', Value = PublishedPorts.Form, Repeatable = true },
    ];

    public static ContainerSpec ToSpec(Invocation invocation)
    {
        var arguments = invocation.Arguments;
        bool interactive = invocation.Flag("interactive");
        return new ContainerSpec
        {
            Image = arguments[0],
            Command = arguments.Count > 1 ? arguments.GetRange(1, arguments.Count - 1) : null,
            Entrypoint = invocation.Value("entrypoint") is { } entrypoint ? entrypoint.Length == 0 ? [] : [entrypoint] : null,
            Environment = Environment(invocation),
            WorkingDirectory = invocation.Value("workdir"),
            User = invocation.Value("user"),
            GroupAdd = invocation.Values("group-add"),
            Hostname = invocation.Value("hostname"),
            Tty = invocation.Flag("tty"),
            OpenStdin = interactive,
            StdinOnce = interactive,
            Labels = Pairs(invocation.Values("label")),
            MemoryBytes = Size(invocation, "memory"),
            NanoCpus = Cpus(invocation),
            PidsLimit = invocation.Number("pids-limit", -1, int.MaxValue) ?? 0,
            ReadOnlyRootfs = invocation.Flag("read-only"),
            Tmpfs = invocation.Values("tmpfs").Select(text => text.Split(':', 2)).ToDictionary(parts => parts[0], parts => parts.Length > 1 ? parts[1] : ""),
            ShmSizeBytes = Size(invocation, "shm-size"),
            Ulimits = [.. invocation.Values("ulimit").Select(ParseUlimit)],
            Sysctls = Pairs(invocation.Values("sysctl")),
            CapAdd = invocation.Values("cap-add"),
            CapDrop = invocation.Values("cap-drop"),
            Privileged = invocation.Flag("privileged"),
            ExtraHosts = invocation.Values("add-host"),
            NetworkMode = invocation.Value("network") ?? (invocation.Has("publish") ? "bridge" : "none"),
            PublishedPorts = [.. invocation.Values("publish").SelectMany(PublishedPorts.Parse)],
            StopSignal = invocation.Value("stop-signal"),
            StopTimeoutSeconds = invocation.Number("stop-timeout", -1, int.MaxValue),
            AutoRemove = invocation.Flag("rm"),
            Init = invocation.Flag("init"),
            RestartPolicy = ParseRestart(invocation.Value("restart")),
        };
    }

    /// <summary>NAME=value list from --env-file and --env, in this order, for run and exec.</summary>
    public static IReadOnlyList<string> Environment(Invocation invocation)
    {
        var all = new List<string>();
        foreach (string file in invocation.Values("env-file"))
        {
            var info = new FileInfo(file);
            if (!info.Exists)
                throw new UsageException($"--env-file: there is no file {file}");
            if (info.Length > EnvFileBytesLimit)
                throw new UsageException($"--env-file: {file} is larger than {EnvFileBytesLimit} bytes");
            foreach (string line in File.ReadLines(file))
            {
                string text = line.TrimStart();
                if (text.Length > 0 && text[0] != '#')
                    AddVariable(all, text, removeAbsent: false);
            }
        }
        foreach (string variable in invocation.Values("env"))
            AddVariable(all, variable, removeAbsent: true);
        return all;
    }

    /// <summary>Bytes of 64, 64b, 64k, 64m, 1.5g, 1t, with an optional b or ib after the unit.</summary>
    public static long ParseSize(string option, string text)
    {
        string number = text.Trim().ToLowerInvariant();
        if (number.EndsWith("ib", StringComparison.Ordinal))
            number = number[..^2];
        else if (number.EndsWith('b'))
            number = number[..^1];
        int power = number.Length == 0 ? -1 : "kmgtp".IndexOf(number[^1], StringComparison.Ordinal) + 1;
        if (power > 0)
            number = number[..^1];
        if (power < 0 || !decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value) || value > 1L << 50)
            throw new UsageException($"--{option} takes a size such as 512m or 2g, not '{text}'");
        decimal bytes = value * (1L << (10 * power));
        return bytes <= long.MaxValue ? (long)bytes : throw new UsageException($"--{option}: {text} is too large");
    }

    private static long Size(Invocation invocation, string option) =>
        invocation.Value(option) is { } text ? ParseSize(option, text) : 0;

    private static long Cpus(Invocation invocation)
    {
        if (invocation.Value("cpus") is not { } text)
            return 0;
        if (!decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal cpus) || cpus <= 0 || cpus > Limits.VCpuCount)
            throw new UsageException($"--cpus takes a number above 0 and up to {Limits.VCpuCount}, not '{text}'");
        return (long)(cpus * 1_000_000_000);
    }

    private static void AddVariable(List<string> all, string text, bool removeAbsent)
    {
        if (text.Contains('=', StringComparison.Ordinal))
            all.Add(text);
        else if (System.Environment.GetEnvironmentVariable(text) is { } value)
            all.Add($"{text}={value}");
        else if (removeAbsent)
            all.Add(text);
    }

    private static Dictionary<string, string> Pairs(IReadOnlyList<string> texts)
    {
        var pairs = new Dictionary<string, string>();
        foreach (string text in texts)
        {
            string[] parts = text.Split('=', 2);
            pairs[parts[0]] = parts.Length > 1 ? parts[1] : "";
        }
        return pairs;
    }

    private static Ulimit ParseUlimit(string text)
    {
        string[] parts = text.Split('=', 2);
        string[] limits = parts.Length > 1 ? parts[1].Split(':', 2) : [];
        long hard = 0;
        if (limits.Length == 0 || !long.TryParse(limits[0], CultureInfo.InvariantCulture, out long soft) ||
            (limits.Length > 1 && !long.TryParse(limits[1], CultureInfo.InvariantCulture, out hard)))
            throw new UsageException($"--ulimit takes NAME=SOFT[:HARD], for example nofile=1024:2048, not '{text}'");
        return new Ulimit(parts[0], soft, limits.Length > 1 ? hard : soft);
    }

    private static RestartPolicy ParseRestart(string? text)
    {
        if (text is null)
            return new RestartPolicy();
        string[] parts = text.Split(':', 2);
        int count = 0;
        RestartCondition? condition = parts[0] switch
        {
            "no" => RestartCondition.No,
            "always" => RestartCondition.Always,
            "unless-stopped" => RestartCondition.UnlessStopped,
            "on-failure" => RestartCondition.OnFailure,
            _ => null,
        };
        if (condition is null || (parts.Length > 1 && (condition != RestartCondition.OnFailure || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out count))))
            throw new UsageException($"--restart is no, always, unless-stopped or on-failure[:COUNT], not '{text}'");
        return new RestartPolicy { Condition = condition.Value, MaximumRetryCount = count };
    }
}
