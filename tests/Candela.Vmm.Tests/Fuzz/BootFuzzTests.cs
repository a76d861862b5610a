using Candela.Vmm.Boot;
using Candela.Vmm.Tests.Boot;
using Candela.Vmm.Tests.Support;

namespace Candela.Vmm.Tests.Fuzz;

/// <summary>Kernel images with bytes changed, cut or blown up: loaded or refused, and never outside of the guest's memory.</summary>
public sealed class BootFuzzTests
{
    [Fact]
    public void BzImage() => Attack(KernelImages.BzImage(), 0x1f0, 0x80);

    [Fact]
    public void Elf() => Attack(KernelImages.Elf(), 0, 0x220);

    private static void Attack(byte[] good, int interestingStart, int interestingBytes)
    {
        using TestMemory memory = new(16 << 20);
        byte[] initramfs = new byte[100];
        FuzzTime.Run(random =>
        {
            byte[] image = good[..(random.Next(8) == 0 ? random.Next(good.Length) : good.Length)];
            for (int i = random.Next(1, 6); i > 0; i--)
            {
                int at = interestingStart + random.Next(interestingBytes);
                if (at < image.Length)
                    image[at] = random.Next(3) switch { 0 => 0, 1 => 0xff, _ => (byte)random.Next(256) };
            }

            try
            {
                BootEntry entry = KernelLoader.Load(memory.Memory, image, initramfs, "quiet"u8);
                if (!memory.Memory.Contains(entry.Parameters, 1))
                    throw new InvalidOperationException($"parameters at {entry.Parameters:x}");
            }
            catch (BootException)
            {
                // Refused.
            }

            if (!memory.WallsStand)
                throw new InvalidOperationException("written outside of the guest's memory");
        });
    }
}
