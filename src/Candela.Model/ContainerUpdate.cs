namespace Candela.Model;

/// <summary>A change of a container's limits and restart policy; null: it stays as it is.</summary>
public sealed record ContainerUpdate
{
    /// <summary>Memory limit in bytes; 0: none.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>CPU limit in 10⁻⁹ CPUs; 0: none.</summary>
    public long? NanoCpus { get; init; }

    /// <summary>Most processes; 0: no limit.</summary>
    public long? PidsLimit { get; init; }

    /// <summary>What is only recorded.</summary>
    public ResourceHints? Hints { get; init; }

    /// <summary>What to do when the main process ends by itself.</summary>
    public RestartPolicy? RestartPolicy { get; init; }
}
