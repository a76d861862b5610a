namespace Candela.Vmm.Tests.Support;

/// <summary>A buffer of a request.</summary>
internal readonly record struct GuestBuffer(ulong Address, int Length, bool Write);
