namespace Candela.Identity.Jose;

/// <summary>A token, key or signed message is malformed or not what it says. The message says why, and repeats nothing secret.</summary>
internal sealed class JoseException(string message, Exception? inner = null) : Exception(message, inner);
