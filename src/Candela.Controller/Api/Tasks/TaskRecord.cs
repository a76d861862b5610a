namespace Candela.Controller.Api.Tasks;

/// <summary>How far a task is.</summary>
public enum TaskState
{
    /// <summary>It goes on.</summary>
    Running,

    /// <summary>It did what was asked for.</summary>
    Succeeded,

    /// <summary>It did not; the message says why.</summary>
    Failed,
}

/// <summary>A long operation.</summary>
public sealed record TaskRecord
{
    /// <summary>16 lower-case hexadecimal digits.</summary>
    public required string Id { get; init; }

    /// <summary>What is done: pull, load, import, fork, parent.</summary>
    public required string Kind { get; init; }

    /// <summary>What it is done with or to.</summary>
    public required string Subject { get; init; }

    /// <summary>Name of the user who asked for it.</summary>
    public required string User { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>How far it is.</summary>
    public TaskState State { get; init; }

    /// <summary>Done part of its present step, 0 to 1; null: not known.</summary>
    public double? Progress { get; init; }

    /// <summary>Its present step, or why it failed.</summary>
    public string Message { get; init; } = "";
}
