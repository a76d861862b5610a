namespace Candela.Identity.Workloads.Api;

/// <summary>
/// A feature of a connection: which container is at its other end, known by the host from the channel over which the connection came, never
/// from anything the guest says.
/// </summary>
public interface IAttestedConnection
{
    /// <summary>Id of the container.</summary>
    string Container { get; }
}
