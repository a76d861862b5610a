namespace Candela.Controller.Transport;

/// <summary>Who is at the other end of a Unix socket: <c>SO_PEERCRED</c> of unix(7), taken by the kernel at connect(2).</summary>
public interface IPeerCredentialFeature
{
    /// <summary>Effective user id.</summary>
    uint UserId { get; }

    /// <summary>Effective group id.</summary>
    uint GroupId { get; }

    /// <summary>Process id.</summary>
    int ProcessId { get; }
}
