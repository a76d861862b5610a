namespace Candela.Guest.Protocol.Host;

/// <summary>A volume's place in the container.</summary>
/// <param name="Disk">Number of its disk: 0 is /dev/vdc. Several places may have the same one.</param>
/// <param name="Target">Absolute path, made when absent.</param>
/// <param name="ReadOnly">The container may not write there.</param>
/// <param name="CopyUp">Fill it, when it is empty, with what the image has at the target; else it gets that folder's owner and mode alone.</param>
public sealed record GuestVolume(int Disk, string Target, bool ReadOnly, bool CopyUp);
