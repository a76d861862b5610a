using System.Buffers.Binary;

namespace Candela.Vmm.Tests.Boot;

/// <summary>Small images that are right in all that a loader looks at.</summary>
internal static class KernelImages
{
    public const int CodeBytes = 4096;

    public static byte[] BzImage(ulong preferred = 0x10_0000, uint initSize = 0x10_0000)
    {
        byte[] image = new byte[2 * 512 + CodeBytes];
        image[0x1f1] = 1; // setup_sects
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(0x1fe), 0xaa55);
        image[0x201] = 0x66; // the jump leads behind the header
        "HdrS"u8.CopyTo(image.AsSpan(0x202));
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(0x206), 0x20f);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x22c), 0x7fff_ffff);
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(0x236), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x238), 2047);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(0x258), preferred);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x260), initSize);
        image.AsSpan(1024).Fill(0x90);
        return image;
    }

    public static byte[] Elf(uint entry = 0x20_0000, ulong address = 0x20_0000, ulong memoryBytes = 0x2000)
    {
        byte[] file = new byte[0x1000 + CodeBytes];
        "\u007fELF"u8.CopyTo(file);
        file[4] = 2;
        file[5] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(18), 62);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(32), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(54), 56);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(56), 2);
        Header(file.AsSpan(64), 1, 0x1000, address, CodeBytes, memoryBytes);
        Header(file.AsSpan(120), 4, 0x200, 0, 20, 20);
        Span<byte> note = file.AsSpan(0x200);
        BinaryPrimitives.WriteUInt32LittleEndian(note, 4);
        BinaryPrimitives.WriteUInt32LittleEndian(note[4..], 4);
        BinaryPrimitives.WriteUInt32LittleEndian(note[8..], 18);
        "Xen\0"u8.CopyTo(note[12..]);
        BinaryPrimitives.WriteUInt32LittleEndian(note[16..], entry);
        file.AsSpan(0x1000).Fill(0x90);
        return file;
    }

    private static void Header(Span<byte> header, uint type, ulong offset, ulong address, ulong fileBytes, ulong memoryBytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(header, type);
        BinaryPrimitives.WriteUInt64LittleEndian(header[8..], offset);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], address);
        BinaryPrimitives.WriteUInt64LittleEndian(header[32..], fileBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(header[40..], memoryBytes);
    }
}
