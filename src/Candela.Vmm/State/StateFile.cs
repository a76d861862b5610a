using System.Buffers.Binary;
using System.Numerics;

namespace Candela.Vmm.State;

/// <summary>
/// The file of device state: "CNDLVMST", u32 version, u32 length and u32 CRC-32C of what follows. The checksum finds damage; that nobody
/// else wrote the file is up to its owner and mode.
/// </summary>
internal static class StateFile
{
    /// <summary>Raised when what is saved changes: a snapshot is understood by the version that made it, no other.</summary>
    public const uint Version = 1;

    /// <summary>Largest file, bytes.</summary>
    public const int BytesMaximum = 1 << 20;

    private const int HeaderBytes = 20;

    private static ReadOnlySpan<byte> Magic => "CNDLVMST"u8;

    /// <summary>The file for some state.</summary>
    public static byte[] Pack(StateWriter state)
    {
        byte[] file = new byte[HeaderBytes + state.Length];
        Magic.CopyTo(file);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(12), (uint)state.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(16), Checksum(state.Written));
        state.Written.CopyTo(file.AsSpan(HeaderBytes));
        return file;
    }

    /// <summary>The state in a file.</summary>
    /// <exception cref="StateException">It is not such a file, of another version, or damaged.</exception>
    public static StateReader Unpack(ReadOnlySpan<byte> file)
    {
        if (file.Length < HeaderBytes || file.Length > BytesMaximum || !file.StartsWith(Magic))
            throw new StateException("it is no file of device state");
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(file[8..]);
        if (version != Version)
            throw new StateException($"it has version {version}, and this program understands {Version}; make the parent again");
        ReadOnlySpan<byte> state = file[HeaderBytes..];
        if (BinaryPrimitives.ReadUInt32LittleEndian(file[12..]) != state.Length || BinaryPrimitives.ReadUInt32LittleEndian(file[16..]) != Checksum(state))
            throw new StateException("it is damaged");
        return new StateReader(state);
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = uint.MaxValue;
        for (; bytes.Length >= 8; bytes = bytes[8..])
            sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (byte b in bytes)
            sum = BitOperations.Crc32C(sum, b);
        return ~sum;
    }
}
