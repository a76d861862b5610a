namespace Candela.Network.Netlink;

/// <summary>The kernel refused a change of the network.</summary>
/// <param name="what">What was asked for, e.g. <c>add link p-12ab</c>.</param>
/// <param name="errno">The error number (errno(3)).</param>
/// <param name="reason">The kernel's own words (extended acknowledgement), if it had any.</param>
public sealed class NetlinkException(string what, int errno, string? reason = null)
    : IOException($"{what}: {System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(errno)}{(reason is null ? "" : $" ({reason})")}")
{
    /// <summary>What was asked for.</summary>
    public string What { get; } = what;

    /// <summary>The error number (errno(3)).</summary>
    public int Errno { get; } = errno;
}
