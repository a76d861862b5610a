using System.Buffers.Binary;
using Candela.Vmm.Tests.Support;
using Candela.Vmm.Tests.Virtio;
using Candela.Vmm.Virtio.Block;

namespace Candela.Vmm.Tests.Fuzz;

/// <summary>The disk against the simplest disk that there is, an array, through random legal and illegal requests in scattered buffers.</summary>
public sealed class BlockModelTests
{
    private const int DiskBytes = 1 << 16;
    private const int RequestsPerInput = 50;

    [Fact]
    public void The_disk_does_what_an_array_does()
    {
        using TestMemory memory = new(1 << 20);
        FuzzTime.Run(random =>
        {
            MemoryBackend backend = new(DiskBytes);
            byte[] model = new byte[DiskBytes];
            GuestDriver driver = new(memory, new BlockDevice(memory.Memory, "disk"u8, DiskBytes, isReadOnly: false) { Backend = backend });
            for (int i = 0; i < RequestsPerInput; i++)
                Check(random, driver, model);
            if (!backend.Content.AsSpan().SequenceEqual(model))
                throw new InvalidOperationException("the disk holds something else");
        });
    }

    private static void Check(Random random, GuestDriver driver, byte[] model)
    {
        ulong sector = (ulong)random.Next(0, DiskBytes / 512 + 4);
        int length = random.Next(0, 9) * 512 + (random.Next(10) == 0 ? 100 : 0);
        bool isLegal = length % 512 == 0 && (long)sector * 512 + length <= DiskBytes;
        byte[] data = new byte[length];
        random.NextBytes(data);
        switch (random.Next(3))
        {
            case 0:
                byte[] read = Send(random, driver, BlockDeviceTests.Request(0, sector), length + 1);
                Expect(read[^1], isLegal ? 0 : 1);
                if (isLegal && !read.AsSpan(0, length).SequenceEqual(model.AsSpan((int)sector * 512, length)))
                    throw new InvalidOperationException("something else was read");
                break;
            case 1:
                Expect(Send(random, driver, BlockDeviceTests.Request(1, sector, data), 1)[0], isLegal ? 0 : 1);
                if (isLegal)
                    data.CopyTo(model.AsSpan((int)sector * 512));
                break;
            default:
                uint sectors = (uint)(length / 512);
                byte[] range = new byte[16];
                BinaryPrimitives.WriteUInt64LittleEndian(range, sector);
                BinaryPrimitives.WriteUInt32LittleEndian(range.AsSpan(8), sectors);
                bool isWithin = (long)sector + sectors <= DiskBytes / 512;
                Expect(Send(random, driver, BlockDeviceTests.Request(random.Next(2) == 0 ? 11u : 13u, 0, range), 1)[0], isWithin ? 0 : 1);
                if (isWithin)
                    model.AsSpan((int)sector * 512, (int)sectors * 512).Clear();
                break;
        }
    }

    // Request and answer in up to six buffers each, cut anywhere.
    private static byte[] Send(Random random, GuestDriver driver, byte[] request, int answerBytes)
    {
        const ulong output = 0x80000, input = 0xA0000;
        request.CopyTo(driver.At(output, request.Length));
        List<GuestBuffer> buffers = [];
        Cut(random, output, request.Length, false, buffers);
        Cut(random, input, answerBytes, true, buffers);
        driver.Add(0, [.. buffers]);
        driver.Notify(0);
        if (driver.TakeUsed(0) is null)
            throw new InvalidOperationException("no answer");
        return driver.At(input, answerBytes).ToArray();
    }

    private static void Cut(Random random, ulong address, int length, bool isWritable, List<GuestBuffer> buffers)
    {
        int parts = random.Next(1, 7);
        for (int i = 0; i < parts; i++)
        {
            int part = i == parts - 1 ? length : random.Next(0, length + 1);
            buffers.Add(new GuestBuffer(address, part, isWritable));
            address += (ulong)part;
            length -= part;
        }
    }

    private static void Expect(byte status, int expected)
    {
        if (status != expected)
            throw new InvalidOperationException($"status {status}, expected {expected}");
    }
}
