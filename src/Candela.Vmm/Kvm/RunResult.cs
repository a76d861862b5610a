namespace Candela.Vmm.Kvm;

/// <summary>Why <see cref="VCpu.Run"/> came back.</summary>
internal enum RunResult
{
    /// <summary>An access was handled, or a signal came; run again.</summary>
    Again,

    /// <summary>The guest reset itself by the keyboard controller.</summary>
    Reset,

    /// <summary>Triple fault.</summary>
    TripleFault,

    /// <summary>KVM cannot go on; <see cref="VCpu.Describe"/> tells more.</summary>
    Failed,
}
