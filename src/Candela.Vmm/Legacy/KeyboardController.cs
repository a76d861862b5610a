namespace Candela.Vmm.Legacy;

/// <summary>
/// The one thing that is left of the i8042 (Intel 8042 data sheet; Linux drivers/input/serio/i8042.h): the command that pulses the
/// processor's reset line, by which a kernel with reboot=k resets.
/// </summary>
internal static class KeyboardController
{
    /// <summary>Command and status port.</summary>
    public const ushort CommandPort = 0x64;

    /// <summary>Data port.</summary>
    public const ushort DataPort = 0x60;

    private const byte PulseReset = 0xFE;

    /// <summary>What a port reads as: nothing to take, ready for a command.</summary>
    public static byte Read() => 0;

    /// <summary>Whether this write resets the machine.</summary>
    public static bool IsReset(ushort port, byte value) => port == CommandPort && value == PulseReset;
}
