using System.Runtime.InteropServices;
using System.Text;

namespace Candela.Guest.Native;

/// <summary>The beginning of struct stat.</summary>
[StructLayout(LayoutKind.Explicit, Size = 144)]
internal unsafe struct FileStat
{
    [FieldOffset(24)] public uint Mode;
    [FieldOffset(28)] public uint Uid;
    [FieldOffset(32)] public uint Gid;

    /// <summary>stat(2).</summary>
    public static bool TryGet(string path, out FileStat stat)
    {
        FileStat result;
        fixed (byte* text = Encoding.UTF8.GetBytes(path + '\0'))
        {
            var isThere = Raw.Call(Linux.SYS_newfstatat, Linux.AT_FDCWD, (nint)text, (nint)(&result), 0) >= 0;
            stat = isThere ? result : default;
            return isThere;
        }
    }
}
