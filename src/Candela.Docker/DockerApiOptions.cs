namespace Candela.Docker;

/// <summary>What the Docker endpoint says of itself, and its limits.</summary>
public sealed class DockerApiOptions
{
    /// <summary>Newest Engine API version that is spoken.</summary>
    public const string ApiVersion = "1.50";

    /// <summary>Oldest Engine API version that is accepted.</summary>
    public const string ApiVersionMinimum = "1.24";

    /// <summary>Network of containers that ask for none in particular: <c>none</c> or <c>bridge</c>.</summary>
    public string DefaultNetwork { get; set; } = "none";

    /// <summary>Project whose containers this endpoint shows.</summary>
    public string Project { get; set; } = "default";

    /// <summary>Version of Candela, as <c>docker version</c> shows it.</summary>
    public string Version { get; set; } = typeof(DockerApiOptions).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    /// <summary>Largest JSON body, bytes.</summary>
    public int JsonBytesMaximum { get; set; } = 4 * 1024 * 1024;

    /// <summary>Time between two figures of <c>docker stats</c>.</summary>
    public TimeSpan StatisticsInterval { get; set; } = TimeSpan.FromSeconds(1);
}
