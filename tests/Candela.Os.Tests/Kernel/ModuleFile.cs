using System.Buffers.Binary;
using System.Text;

namespace Candela.Os.Tests.Kernel;

/// <summary>Makes the smallest ELF file that is a kernel module to the reader.</summary>
internal static class ModuleFile
{
    public static byte[] Of(string name, params string[] dependencies)
    {
        byte[] information = Encoding.ASCII.GetBytes($"license=GPL\0depends={string.Join(',', dependencies)}\0name={name}\0");
        byte[] names = Encoding.ASCII.GetBytes("\0.modinfo\0.shstrtab\0");
        int table = 64 + information.Length + names.Length;
        byte[] file = new byte[table + 3 * 64];
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(file);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(0x28), (ulong)table);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(0x3A), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(0x3C), 3);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(0x3E), 2);
        information.CopyTo(file, 64);
        names.CopyTo(file, 64 + information.Length);
        Section(file.AsSpan(table + 64), 1, 64, information.Length);
        Section(file.AsSpan(table + 128), 10, 64 + information.Length, names.Length);
        return file;
    }

    private static void Section(Span<byte> header, int name, int offset, int size)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)name);
        BinaryPrimitives.WriteUInt64LittleEndian(header[0x18..], (ulong)offset);
        BinaryPrimitives.WriteUInt64LittleEndian(header[0x20..], (ulong)size);
    }
}
