using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Candela.Microvisor.Native;

/// <summary>The CPU's time-stamp counter, which an emulated guest reads as its own.</summary>
internal static unsafe partial class TimeStampCounter
{
    private const int PageBytes = 4096, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4, MAP_PRIVATE = 2, MAP_ANONYMOUS = 32;
    private static readonly TimeSpan MeasuringTime = TimeSpan.FromMilliseconds(100);

    // rdtsc; shl rdx, 32; or rax, rdx; ret
    private static ReadOnlySpan<byte> ReadCounter => [0x0F, 0x31, 0x48, 0xC1, 0xE2, 0x20, 0x48, 0x09, 0xD0, 0xC3];

    /// <summary>Measures its frequency against the monotonic clock, in kHz, to about 20 ppm.</summary>
    public static int MeasureKilohertz()
    {
        byte* page = mmap(null, PageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if ((nint)page == -1)
            throw Libc.Failure("mmap");
        try
        {
            ReadCounter.CopyTo(new Span<byte>(page, PageBytes));
            Libc.Check(mprotect(page, PageBytes, PROT_READ | PROT_EXEC), "mprotect");
            var read = (delegate* unmanaged<ulong>)page;
            (ulong counter, long clock) start = Sample(read);
            Thread.Sleep(MeasuringTime);
            (ulong counter, long clock) end = Sample(read);
            return (int)Math.Round((end.counter - start.counter) / Stopwatch.GetElapsedTime(start.clock, end.clock).TotalMilliseconds);
        }
        finally
        {
            _ = munmap(page, PageBytes);
        }
    }

    /// <summary>Both clocks at one moment: of many tries, the one that was disturbed least.</summary>
    private static (ulong Counter, long Clock) Sample(delegate* unmanaged<ulong> read)
    {
        const int tries = 50;
        (ulong Counter, long Clock) best = default;
        long shortest = long.MaxValue;
        for (int i = 0; i < tries; i++)
        {
            long before = Stopwatch.GetTimestamp();
            ulong counter = read();
            long after = Stopwatch.GetTimestamp();
            if (after - before < shortest)
                (shortest, best) = (after - before, (counter, before + ((after - before) / 2)));
        }

        return best;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial byte* mmap(byte* address, nuint length, int protection, int flags, int fd, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mprotect(byte* address, nuint length, int protection);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(byte* address, nuint length);
}
