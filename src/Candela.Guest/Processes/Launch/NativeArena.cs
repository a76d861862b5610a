using System.Runtime.InteropServices;
using System.Text;

namespace Candela.Guest.Processes.Launch;

/// <summary>Memory outside the managed heap for one launch; freed at once.</summary>
internal sealed unsafe class NativeArena : IDisposable
{
    private readonly List<nint> _blocks = [];

    /// <summary>Zeroed room for <paramref name="count"/> values.</summary>
    public T* Array<T>(int count) where T : unmanaged
    {
        var block = (T*)NativeMemory.AllocZeroed((nuint)Math.Max(count, 1), (nuint)sizeof(T));
        _blocks.Add((nint)block);
        return block;
    }

    /// <summary>The text in UTF-8 with a zero byte behind it.</summary>
    public byte* Text(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        var bytes = Array<byte>(length + 1);
        Encoding.UTF8.GetBytes(value, new Span<byte>(bytes, length));
        return bytes;
    }

    /// <summary>Texts with a null pointer behind them, as execve takes them.</summary>
    public byte** Texts(IReadOnlyList<string> values)
    {
        var texts = (byte**)Array<nint>(values.Count + 1);
        for (var i = 0; i < values.Count; i++)
            texts[i] = Text(values[i]);
        return texts;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var block in _blocks)
            NativeMemory.Free((void*)block);
        _blocks.Clear();
    }
}
