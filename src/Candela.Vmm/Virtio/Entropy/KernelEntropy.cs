using Candela.Vmm.Native;

namespace Candela.Vmm.Virtio.Entropy;

/// <summary>The host kernel's random numbers (getrandom(2)).</summary>
internal sealed unsafe class KernelEntropy : IEntropySource
{
    /// <inheritdoc/>
    public void Fill(Span<byte> target)
    {
        fixed (byte* start = target)
        {
            for (int done = 0; done < target.Length;)
            {
                nint count = Libc.getrandom(start + done, (nuint)(target.Length - done), 0);
                if (count > 0)
                    done += (int)count;
                else if (Errno.Last != Linux.EINTR)
                    throw new NativeException("getrandom", Errno.Last);
            }
        }
    }
}
