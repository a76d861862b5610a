using System.Runtime.InteropServices;

namespace Candela.Images.Compression;

/// <summary>Decompresses zstd (RFC 8878) by the system's libzstd. Its window is bounded by the library's default, 128 MiB.</summary>
internal sealed partial class ZstdStream : ReadOnlyStream
{
    private const string Library = "libzstd.so.1";

    private readonly Stream _input;
    private readonly byte[] _buffer = new byte[128 << 10];
    private nint _context;
    private int _start;
    private int _end;
    private bool _insideFrame;

    public ZstdStream(Stream input)
    {
        _input = input;
        _context = ZSTD_createDStream();
        if (_context == 0)
            throw new InsufficientMemoryException("libzstd has no memory for a context");
    }

    public override unsafe int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_context == 0, this);
        if (buffer.Length == 0)
            return 0;
        while (true)
        {
            bool ended = false;
            if (_start == _end)
            {
                (_start, _end) = (0, _input.Read(_buffer));
                ended = _end == 0;
                if (ended && !_insideFrame)
                    return 0;
            }

            nuint written;
            fixed (byte* source = _buffer)
            fixed (byte* target = buffer)
            {
                Buffer output = new() { Data = target, Size = (nuint)buffer.Length };
                Buffer input = new() { Data = source, Size = (nuint)_end, Position = (nuint)_start };
                nuint result = ZSTD_decompressStream(_context, ref output, ref input);
                if (ZSTD_isError(result) != 0)
                    throw new InvalidDataException(Marshal.PtrToStringUTF8(ZSTD_getErrorName(result)));
                _start = (int)input.Position;
                _insideFrame = result != 0;
                written = output.Position;
            }

            if (written > 0)
                return (int)written;
            if (ended)
                throw new InvalidDataException("the zstd stream is truncated");
        }
    }

    protected override void Dispose(bool disposing)
    {
        nint context = Interlocked.Exchange(ref _context, 0);
        if (context != 0)
            ZSTD_freeDStream(context);
        if (disposing)
            _input.Dispose();
        base.Dispose(disposing);
    }

    ~ZstdStream() => Dispose(false);

    // zstd.h: ZSTD_inBuffer and ZSTD_outBuffer have one layout.
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Buffer
    {
        public byte* Data;
        public nuint Size;
        public nuint Position;
    }

    [LibraryImport(Library)]
    private static partial nint ZSTD_createDStream();

    [LibraryImport(Library)]
    private static partial nuint ZSTD_freeDStream(nint context);

    [LibraryImport(Library)]
    private static partial nuint ZSTD_decompressStream(nint context, ref Buffer output, ref Buffer input);

    [LibraryImport(Library)]
    private static partial uint ZSTD_isError(nuint code);

    [LibraryImport(Library)]
    private static partial nint ZSTD_getErrorName(nuint code);
}
