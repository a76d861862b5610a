namespace Candela.Cli.Remote;

/// <summary>The provider refuses (RFC 6749, section 5.2).</summary>
internal sealed class OAuthErrorException(string error, string description) : Exception($"{description} ({error})")
{
    /// <summary>For programs, such as <c>authorization_pending</c>.</summary>
    public string Error { get; } = error;
}
