namespace Candela.Vmm.Kvm;

/// <summary>KVM is absent, too old, or refused a call.</summary>
internal sealed class KvmException(string message) : Exception(message);
