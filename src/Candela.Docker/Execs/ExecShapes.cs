using System.Text.Json.Serialization;
using Candela.Docker.Json;

namespace Candela.Docker.Execs;

/// <summary>Body of <c>POST /containers/{id}/exec</c>.</summary>
internal sealed class ExecCreateRequest
{
    public bool? AttachStdin { get; set; }

    public bool? AttachStdout { get; set; }

    public bool? AttachStderr { get; set; }

    public bool? Tty { get; set; }

    public bool? Privileged { get; set; }

    public string? DetachKeys { get; set; }

    public string? User { get; set; }

    public string? WorkingDir { get; set; }

    public List<string?>? Env { get; set; }

    [JsonConverter(typeof(StringsConverter))]
    public List<string>? Cmd { get; set; }

    public List<int>? ConsoleSize { get; set; }
}

/// <summary>Body of <c>POST /exec/{id}/start</c>.</summary>
internal sealed class ExecStartRequest
{
    public bool? Detach { get; set; }

    public bool? Tty { get; set; }

    public List<int>? ConsoleSize { get; set; }
}

/// <summary>Answer of exec creation.</summary>
internal sealed record ExecCreated(string Id);

/// <summary>Answer of <c>GET /exec/{id}/json</c>.</summary>
internal sealed record ExecInspect
{
    public required string ID { get; init; }
    public bool Running { get; init; }
    public int? ExitCode { get; init; }
    public required ExecProcessView ProcessConfig { get; init; }
    public bool OpenStdin { get; init; }
    public bool OpenStderr { get; init; }
    public bool OpenStdout { get; init; }
    public bool CanRemove { get; init; }
    public required string ContainerID { get; init; }
    public string DetachKeys { get; init; } = "";
    public int Pid { get; init; }
}

/// <summary>Process of an exec.</summary>
internal sealed record ExecProcessView(
    [property: JsonPropertyName("tty")] bool Tty,
    [property: JsonPropertyName("entrypoint")] string Entrypoint,
    [property: JsonPropertyName("arguments")] IReadOnlyList<string> Arguments,
    [property: JsonPropertyName("privileged")] bool Privileged,
    [property: JsonPropertyName("user")] string User);
