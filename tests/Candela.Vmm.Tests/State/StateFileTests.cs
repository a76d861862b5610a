using Candela.Vmm.State;

namespace Candela.Vmm.Tests.State;

public sealed class StateFileTests
{
    private static byte[] Make()
    {
        StateWriter state = new();
        state.U64(42);
        state.Flag(true);
        state.Bytes("device"u8);
        return StateFile.Pack(state);
    }

    [Fact]
    public void What_was_packed_is_unpacked()
    {
        StateReader state = StateFile.Unpack(Make());
        Assert.Equal(42ul, state.U64());
        Assert.True(state.Flag());
        Assert.Equal("device"u8.ToArray(), state.Bytes(6).ToArray());
        Assert.Equal(0, state.Remaining);
    }

    [Fact]
    public void Every_changed_bit_is_found()
    {
        byte[] file = Make();
        for (int bit = 0; bit < 8 * file.Length; bit++)
        {
            byte[] changed = [.. file];
            changed[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.Throws<StateException>(() => StateFile.Unpack(changed).Remaining);
        }
    }

    [Fact]
    public void Every_cut_is_found()
    {
        byte[] file = Make();
        for (int length = 0; length < file.Length; length++)
            Assert.Throws<StateException>(() => StateFile.Unpack(file.AsSpan(0, length)).Remaining);
    }
}
