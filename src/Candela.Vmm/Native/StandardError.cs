using System.Text;

namespace Candela.Vmm.Native;

/// <summary>Standard error by write(2) alone: the runtime's console makes calls that a confined process must not make.</summary>
internal static unsafe class StandardError
{
    /// <summary>Writes a line, as far as it can be written.</summary>
    public static void WriteLine(string line)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(line + "\n");
        fixed (byte* start = bytes)
        {
            for (int done = 0; done < bytes.Length;)
            {
                nint count = Libc.write(2, start + done, (nuint)(bytes.Length - done));
                if (count <= 0 && Errno.Last != Linux.EINTR)
                    return;
                done += (int)Math.Max(count, 0);
            }
        }
    }
}
