namespace Candela.Vmm.Machine;

/// <summary>Arguments that make no VM.</summary>
internal sealed class CommandLineException(string message) : Exception(message);
