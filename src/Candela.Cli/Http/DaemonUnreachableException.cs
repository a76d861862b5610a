namespace Candela.Cli.Http;

/// <summary>Nobody answers where the daemon should be, or somebody else does.</summary>
internal sealed class DaemonUnreachableException(string message, Exception inner) : Exception(message, inner);
