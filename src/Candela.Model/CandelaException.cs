namespace Candela.Model;

/// <summary>An expected failure. Its message is for the user and says what to do next.</summary>
public class CandelaException(ErrorCode code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The kind of failure.</summary>
    public ErrorCode Code { get; } = code;
}
