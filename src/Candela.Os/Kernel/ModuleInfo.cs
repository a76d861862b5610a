using System.Buffers.Binary;
using System.Text;
using Candela.Model;

namespace Candela.Os.Kernel;

/// <summary>What a kernel module (.ko) says of itself in its ELF section .modinfo.</summary>
/// <param name="Name">Module name, with underscores.</param>
/// <param name="Dependencies">Names of the modules that must be loaded before.</param>
internal sealed record ModuleInfo(string Name, IReadOnlyList<string> Dependencies)
{
    // Elf64_Ehdr and Elf64_Shdr, include/uapi/linux/elf.h
    private const int HeaderSize = 64;
    private const int SectionHeaderSize = 64;
    private const int MaximumSectionCount = 65_000;

    /// <summary>Reads a module.</summary>
    /// <param name="fileName">For messages and for the name when the module does not state one.</param>
    /// <param name="file">The file's bytes.</param>
    /// <exception cref="CandelaException">Internal: not a 64-bit little-endian ELF file, or damaged.</exception>
    public static ModuleInfo Parse(string fileName, ReadOnlySpan<byte> file)
    {
        string name = NormalizeName(Path.GetFileNameWithoutExtension(fileName));
        string[] dependencies = [];
        foreach (string entry in Encoding.UTF8.GetString(FindSection(fileName, file, ".modinfo"u8)).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            if (entry.StartsWith("name=", StringComparison.Ordinal))
                name = NormalizeName(entry[5..]);
            else if (entry.StartsWith("depends=", StringComparison.Ordinal))
                dependencies = [.. entry[8..].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(NormalizeName)];
        }

        return new ModuleInfo(name, dependencies);
    }

    /// <summary>The kernel treats '-' and '_' in module names alike.</summary>
    public static string NormalizeName(string name) => name.Replace('-', '_');

    private static ReadOnlySpan<byte> FindSection(string fileName, ReadOnlySpan<byte> file, ReadOnlySpan<byte> wanted)
    {
        // EI_MAG, ELFCLASS64, ELFDATA2LSB
        if (file.Length < HeaderSize || !file.StartsWith("\u007fELF\u0002\u0001"u8))
            throw Damaged(fileName, "not a 64-bit little-endian ELF file");
        ulong tableOffset = BinaryPrimitives.ReadUInt64LittleEndian(file[0x28..]); // e_shoff
        int entrySize = BinaryPrimitives.ReadUInt16LittleEndian(file[0x3A..]); // e_shentsize
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file[0x3C..]); // e_shnum
        int namesIndex = BinaryPrimitives.ReadUInt16LittleEndian(file[0x3E..]); // e_shstrndx
        if (entrySize != SectionHeaderSize || count > MaximumSectionCount || namesIndex >= count)
            throw Damaged(fileName, "bad section header table");

        ReadOnlySpan<byte> table = Slice(fileName, file, tableOffset, (ulong)count * SectionHeaderSize);
        ReadOnlySpan<byte> names = Section(fileName, file, table, namesIndex);
        for (int i = 0; i < count; i++)
        {
            uint nameOffset = BinaryPrimitives.ReadUInt32LittleEndian(table[(i * SectionHeaderSize)..]);
            if (nameOffset >= names.Length)
                throw Damaged(fileName, "bad section name");
            ReadOnlySpan<byte> name = names[(int)nameOffset..];
            int end = name.IndexOf((byte)0);
            if (end >= 0 && name[..end].SequenceEqual(wanted))
                return Section(fileName, file, table, i);
        }

        throw Damaged(fileName, $"no section {Encoding.ASCII.GetString(wanted)}");
    }

    private static ReadOnlySpan<byte> Section(string fileName, ReadOnlySpan<byte> file, ReadOnlySpan<byte> table, int index)
    {
        ReadOnlySpan<byte> header = table[(index * SectionHeaderSize)..];
        return Slice(fileName, file, BinaryPrimitives.ReadUInt64LittleEndian(header[0x18..]), BinaryPrimitives.ReadUInt64LittleEndian(header[0x20..]));
    }

    private static ReadOnlySpan<byte> Slice(string fileName, ReadOnlySpan<byte> file, ulong offset, ulong size)
    {
        if (offset > (ulong)file.Length || size > (ulong)file.Length - offset)
            throw Damaged(fileName, "a section lies outside of the file");
        return file.Slice((int)offset, (int)size);
    }

    private static CandelaException Damaged(string fileName, string reason) =>
        new(ErrorCode.Internal, $"kernel module {fileName} cannot be read: {reason}; delete the guest cache and start again");
}
