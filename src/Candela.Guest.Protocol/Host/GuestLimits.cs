namespace Candela.Guest.Protocol.Host;

/// <summary>What all of a container's processes together may use.</summary>
/// <param name="MemoryBytes">Memory in bytes; 0: no limit.</param>
/// <param name="NanoCpus">CPUs in 10⁻⁹; 0: no limit.</param>
/// <param name="Pids">Processes; 0: no limit.</param>
public readonly record struct GuestLimits(long MemoryBytes, long NanoCpus, long Pids);
