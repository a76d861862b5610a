namespace Candela.Vmm.State;

/// <summary>Device state that is damaged, of another version, or of a VM of another shape.</summary>
internal sealed class StateException(string reason) : Exception($"the device state cannot be used: {reason}");
