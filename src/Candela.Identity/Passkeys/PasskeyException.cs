namespace Candela.Identity.Passkeys;

/// <summary>What a browser sent is no good passkey; the text says why, for the audit log.</summary>
internal sealed class PasskeyException(string message, Exception? inner = null) : Exception(message, inner);
