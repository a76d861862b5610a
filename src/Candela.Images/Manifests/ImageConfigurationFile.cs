using System.Text.Json;
using System.Text.Json.Serialization;
using Candela.Model;

namespace Candela.Images.Manifests;

/// <summary>An image's configuration blob (OCI image-spec, config.md; Docker's image JSON is alike).</summary>
internal sealed record ImageConfigurationFile
{
    [JsonPropertyName("created")]
    public DateTimeOffset? Created { get; init; }

    [JsonPropertyName("author")]
    public string? Author { get; init; }

    [JsonPropertyName("comment")]
    public string? Comment { get; init; }

    [JsonPropertyName("architecture")]
    public string? Architecture { get; init; }

    [JsonPropertyName("os")]
    public string? OperatingSystem { get; init; }

    [JsonPropertyName("config")]
    public RunConfiguration? Run { get; init; }

    [JsonPropertyName("rootfs")]
    public LayerList? Layers { get; init; }

    [JsonPropertyName("history")]
    public IReadOnlyList<HistoryEntry>? History { get; init; }

    /// <summary>diff ids, lowest first.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> DiffIds => Layers?.DiffIds ?? [];

    /// <summary>Reads and checks a configuration.</summary>
    /// <exception cref="CandelaException">ImageInvalid, or NotSupported for another platform.</exception>
    public static ImageConfigurationFile Parse(ReadOnlySpan<byte> json, ImageLimits limits)
    {
        if (json.Length > limits.ConfigurationBytes)
            throw Invalid($"it has {json.Length} bytes; at most {limits.ConfigurationBytes} are accepted");
        ImageConfigurationFile file;
        try
        {
            file = JsonSerializer.Deserialize(json, ManifestJson.Default.ImageConfigurationFile) ?? throw Invalid("it is empty");
        }
        catch (JsonException e)
        {
            throw Invalid(e.Message, e);
        }

        if (!file.DiffIds.All(Storage.Digests.IsValid))
            throw Invalid("a diff id is no sha256 digest");
        if (file.Run is { } run && (HasNull(run.Env) || HasNull(run.Entrypoint) || HasNull(run.Cmd) || HasNull(run.Shell) || HasNull(run.OnBuild) || HasNull(run.Healthcheck?.Test) || HasNull(run.Labels?.Values)))
            throw Invalid("a text in it is null");
        if (file.DiffIds.Count > limits.Layers)
            throw Invalid($"it has {file.DiffIds.Count} layers; at most {limits.Layers} are accepted");
        if (file is not { OperatingSystem: null or "" or "linux", Architecture: null or "" or "amd64" })
            throw new CandelaException(ErrorCode.NotSupported, $"the image is for {file.OperatingSystem}/{file.Architecture}: only linux/amd64 runs here");
        return file;
    }

    /// <summary>The configuration as JSON.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ManifestJson.Default.ImageConfigurationFile);

    private static bool HasNull(IEnumerable<string?>? texts) => texts?.Contains(null) ?? false;

    private static CandelaException Invalid(string reason, Exception? inner = null) =>
        new(ErrorCode.ImageInvalid, $"invalid image configuration: {reason}", inner);
}

/// <summary>The <c>rootfs</c> member.</summary>
internal sealed record LayerList(
    [property: JsonPropertyName("type")] string? Type,
    [property: JsonPropertyName("diff_ids")] IReadOnlyList<string>? DiffIds);

/// <summary>An element of the <c>history</c> member.</summary>
internal sealed record HistoryEntry(
    [property: JsonPropertyName("created")] DateTimeOffset? Created,
    [property: JsonPropertyName("created_by")] string? CreatedBy,
    [property: JsonPropertyName("comment")] string? Comment,
    [property: JsonPropertyName("empty_layer"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool IsEmptyLayer = false);

/// <summary>The <c>config</c> member.</summary>
internal sealed record RunConfiguration
{
    public string? User { get; init; }

    public IReadOnlyDictionary<string, EmptyObject>? ExposedPorts { get; init; }

    public IReadOnlyList<string>? Env { get; init; }

    public IReadOnlyList<string>? Entrypoint { get; init; }

    public IReadOnlyList<string>? Cmd { get; init; }

    public IReadOnlyDictionary<string, EmptyObject>? Volumes { get; init; }

    public string? WorkingDir { get; init; }

    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    public string? StopSignal { get; init; }

    public IReadOnlyList<string>? Shell { get; init; }

    public HealthCheckFile? Healthcheck { get; init; }

    public IReadOnlyList<string>? OnBuild { get; init; }

    /// <summary>The model's shape.</summary>
    public ImageConfiguration ToModel() => new()
    {
        User = User ?? "",
        Environment = Env ?? [],
        Entrypoint = Entrypoint,
        Command = Cmd,
        WorkingDirectory = WorkingDir ?? "",
        Labels = Labels ?? new Dictionary<string, string>(),
        ExposedPorts = [.. ExposedPorts?.Keys ?? []],
        Volumes = [.. Volumes?.Keys ?? []],
        StopSignal = StopSignal ?? "",
        Shell = Shell,
        HealthCheck = Healthcheck?.ToModel(),
        OnBuild = OnBuild ?? [],
    };

    /// <summary>The file's shape.</summary>
    public static RunConfiguration FromModel(ImageConfiguration model) => new()
    {
        User = model.User,
        ExposedPorts = Set(model.ExposedPorts),
        Env = model.Environment,
        Entrypoint = model.Entrypoint,
        Cmd = model.Command,
        Volumes = Set(model.Volumes),
        WorkingDir = model.WorkingDirectory,
        Labels = model.Labels.Count == 0 ? null : new SortedDictionary<string, string>(model.Labels.ToDictionary(), StringComparer.Ordinal),
        StopSignal = model.StopSignal.Length == 0 ? null : model.StopSignal,
        Shell = model.Shell,
        Healthcheck = model.HealthCheck is { } check ? HealthCheckFile.FromModel(check) : null,
        OnBuild = model.OnBuild.Count == 0 ? null : model.OnBuild,
    };

    private static SortedDictionary<string, EmptyObject>? Set(IReadOnlyList<string> names) =>
        names.Count == 0 ? null : new SortedDictionary<string, EmptyObject>(names.Distinct().ToDictionary(static name => name, static _ => new EmptyObject()), StringComparer.Ordinal);
}

/// <summary>Docker's extension of the <c>config</c> member; times in nanoseconds.</summary>
internal sealed record HealthCheckFile(IReadOnlyList<string>? Test, long Interval, long Timeout, long StartPeriod, long StartInterval, int Retries)
{
    private const long NanosecondsPerMillisecond = 1_000_000;

    public HealthCheck ToModel() => new()
    {
        Test = Test ?? [],
        IntervalMilliseconds = Math.Max(Interval, 0) / NanosecondsPerMillisecond,
        TimeoutMilliseconds = Math.Max(Timeout, 0) / NanosecondsPerMillisecond,
        StartPeriodMilliseconds = Math.Max(StartPeriod, 0) / NanosecondsPerMillisecond,
        StartIntervalMilliseconds = Math.Max(StartInterval, 0) / NanosecondsPerMillisecond,
        Retries = Math.Max(Retries, 0),
    };

    public static HealthCheckFile FromModel(HealthCheck model) => new(
        model.Test, model.IntervalMilliseconds * NanosecondsPerMillisecond, model.TimeoutMilliseconds * NanosecondsPerMillisecond,
        model.StartPeriodMilliseconds * NanosecondsPerMillisecond, model.StartIntervalMilliseconds * NanosecondsPerMillisecond, model.Retries);
}

/// <summary>Go's <c>struct{}</c>: sets are objects with such values.</summary>
internal sealed record EmptyObject;

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ImageConfigurationFile))]
internal sealed partial class ManifestJson : JsonSerializerContext;
