namespace Candela.Os;

/// <summary>Where the guest is made from and kept.</summary>
public sealed class GuestBuilderOptions
{
    /// <summary>Absolute path of the folder that keeps kernels and guests between starts; made when absent.</summary>
    public required string CacheFolder { get; set; }

    /// <summary>Path of the static program candela-guest, which becomes process 1 of the guest.</summary>
    public required string AgentPath { get; set; }
}
