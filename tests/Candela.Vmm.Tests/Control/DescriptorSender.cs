using System.Runtime.InteropServices;
using Candela.Vmm.Native;

namespace Candela.Vmm.Tests.Control;

/// <summary>Sends a descriptor with bytes (SCM_RIGHTS, unix(7)).</summary>
internal static unsafe partial class DescriptorSender
{
    public static void Send(int socket, ReadOnlySpan<byte> bytes, int descriptor)
    {
        byte* control = stackalloc byte[24]; // struct cmsghdr and one descriptor, padded
        *(nuint*)control = 20;
        *(int*)(control + 8) = Linux.SOL_SOCKET;
        *(int*)(control + 12) = Linux.SCM_RIGHTS;
        *(int*)(control + 16) = descriptor;
        fixed (byte* start = bytes)
        {
            IoVector vector = new() { Start = start, Length = (nuint)bytes.Length };
            MessageHeader message = new() { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = 24 };
            Assert.Equal(bytes.Length, sendmsg(socket, &message, 0));
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(int socket, MessageHeader* message, int flags);
}
