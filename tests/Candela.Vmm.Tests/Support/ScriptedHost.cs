using Candela.Vmm.Native;
using Candela.Vmm.Virtio.Console;

namespace Candela.Vmm.Tests.Support;

/// <summary>A host's end of a port in memory.</summary>
internal sealed unsafe class ScriptedHost : IHostStream
{
    public Queue<byte> ToGuest { get; } = new();

    public List<byte> FromGuest { get; } = [];

    /// <summary>Bytes that may still be written before the stream is full.</summary>
    public int Room { get; set; } = int.MaxValue;

    public bool IsGone { get; set; }

    public int Read(ReadOnlySpan<IoVector> buffers)
    {
        if (IsGone)
            return -1;
        int count = 0;
        foreach (IoVector buffer in buffers)
        {
            for (nuint i = 0; i < buffer.Length && ToGuest.Count > 0; i++, count++)
                buffer.Start[i] = ToGuest.Dequeue();
        }

        return count;
    }

    public int Write(ReadOnlySpan<IoVector> buffers)
    {
        if (IsGone)
            return -1;
        int count = 0;
        foreach (IoVector buffer in buffers)
        {
            for (nuint i = 0; i < buffer.Length && Room > 0; i++, count++, Room--)
                FromGuest.Add(buffer.Start[i]);
        }

        return count;
    }
}
