using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Candela.Controller.Transport;

/// <summary>The peer as the kernel knows it.</summary>
internal sealed partial record PeerCredential(uint UserId, uint GroupId, int ProcessId) : IPeerCredentialFeature
{
    private const int SOL_SOCKET = 1;
    private const int SO_PEERCRED = 17;

    /// <summary>Whose process this is.</summary>
    public static uint OwnUserId { get; } = geteuid();

    public static PeerCredential Of(Socket socket)
    {
        Span<int> ucred = stackalloc int[3]; // pid, uid, gid
        socket.GetRawSocketOption(SOL_SOCKET, SO_PEERCRED, MemoryMarshal.AsBytes(ucred));
        return new PeerCredential((uint)ucred[1], (uint)ucred[2], ucred[0]);
    }

    [LibraryImport("libc")]
    private static partial uint geteuid();
}
