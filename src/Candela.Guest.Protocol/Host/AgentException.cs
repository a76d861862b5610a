namespace Candela.Guest.Protocol.Host;

/// <summary>The guest refused a request.</summary>
public sealed class AgentException(AgentError error, string message) : Exception(message)
{
    /// <summary>Why.</summary>
    public AgentError Error { get; } = error;
}

/// <summary>The guest broke the protocol; the connection is closed.</summary>
public sealed class AgentProtocolException(string message) : Exception(message);
