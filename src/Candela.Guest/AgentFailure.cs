using Candela.Guest.Protocol;

namespace Candela.Guest;

/// <summary>A request that the agent refuses; becomes an Error frame with the code and the message.</summary>
internal sealed class AgentFailure(AgentError error, string message) : Exception(message)
{
    /// <summary>What the host is told.</summary>
    public AgentError Error { get; } = error;
}
