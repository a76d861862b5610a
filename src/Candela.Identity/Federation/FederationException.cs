namespace Candela.Identity.Federation;

/// <summary>Somebody cannot be signed in by an identity provider.</summary>
/// <param name="message">Why: for the audit log.</param>
/// <param name="advice">What whoever wants to sign in is told; null: no more than that it did not work.</param>
/// <param name="inner">Cause.</param>
internal sealed class FederationException(string message, string? advice = null, Exception? inner = null) : Exception(message, inner)
{
    public string? Advice { get; } = advice;
}
