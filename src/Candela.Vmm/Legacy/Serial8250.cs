using Candela.Vmm.Native;
using Candela.Vmm.State;

namespace Candela.Vmm.Legacy;

/// <summary>
/// A serial port after the National Semiconductor 16450 (data sheet PC16550D, section 8) for the kernel's early output: it only sends, is
/// always ready, and what was sent stays in a ring of the last 64 KiB.
/// </summary>
internal sealed class Serial8250
{
    /// <summary>First I/O port of COM1, and how many there are.</summary>
    public const ushort PortBase = 0x3F8, PortCount = 8;

    /// <summary>Interrupt of COM1.</summary>
    public const int Gsi = 4;

    /// <summary>Bytes of output that are kept.</summary>
    public const int KeptBytes = 64 * 1024;

    // Registers by offset; 0 and 1 are the divisor while LCR bit 7 is set.
    private const int Data = 0, InterruptEnable = 1, InterruptIdentification = 2, LineControl = 3, ModemControl = 4, LineStatus = 5, ModemStatus = 6, Scratch = 7;
    private const byte DivisorAccess = 0x80;
    private const byte InterruptOnEmpty = 0x02;
    private const byte NothingPending = 0x01, EmptyPending = 0x02;
    private const byte TransmitterEmpty = 0x60; // THRE and TEMT
    private const byte ModemReady = 0xB0; // CTS, DSR, DCD
    private const byte Loop = 0x10;

    private readonly IInterruptLine _interrupt;
    private readonly int _outputDescriptor;
    private readonly Lock _lock = new();
    private readonly byte[] _output = new byte[KeptBytes];
    private long _outputCount;
    private byte _interruptEnable;
    private byte _lineControl;
    private byte _modemControl;
    private byte _scratch;
    private byte _divisorLow = 1;
    private byte _divisorHigh;
    private bool _isEmptyPending;

    /// <summary>A port whose interrupt goes to this line; its output goes to a descriptor too, unless that is negative.</summary>
    public Serial8250(IInterruptLine interrupt, int outputDescriptor = -1)
    {
        _interrupt = interrupt;
        _outputDescriptor = outputDescriptor;
    }

    /// <summary>The guest reads a register, 0 to 7.</summary>
    public byte Read(int register)
    {
        lock (_lock)
        {
            switch (register)
            {
                case Data:
                    return (_lineControl & DivisorAccess) != 0 ? _divisorLow : (byte)0;
                case InterruptEnable:
                    return (_lineControl & DivisorAccess) != 0 ? _divisorHigh : _interruptEnable;
                case InterruptIdentification:
                    if (!_isEmptyPending)
                        return NothingPending;
                    _isEmptyPending = false;
                    return EmptyPending;
                case LineControl:
                    return _lineControl;
                case ModemControl:
                    return _modemControl;
                case LineStatus:
                    return TransmitterEmpty;
                case ModemStatus:
                    return ModemReady;
                default:
                    return _scratch;
            }
        }
    }

    /// <summary>The guest writes a register, 0 to 7.</summary>
    public void Write(int register, byte value)
    {
        lock (_lock)
        {
            switch (register)
            {
                case Data when (_lineControl & DivisorAccess) != 0:
                    _divisorLow = value;
                    break;
                case Data:
                    if ((_modemControl & Loop) == 0)
                        Emit(value);
                    RaiseEmpty();
                    break;
                case InterruptEnable when (_lineControl & DivisorAccess) != 0:
                    _divisorHigh = value;
                    break;
                case InterruptEnable:
                    _interruptEnable = (byte)(value & 0x0F);
                    RaiseEmpty();
                    break;
                case LineControl:
                    _lineControl = value;
                    break;
                case ModemControl:
                    _modemControl = (byte)(value & 0x1F);
                    break;
                case Scratch:
                    _scratch = value;
                    break;
            }
        }
    }

    /// <summary>The last output, at most so many bytes as fit; the result is how many were copied.</summary>
    public int CopyOutput(Span<byte> target)
    {
        lock (_lock)
        {
            int count = (int)Math.Min(Math.Min(_outputCount, KeptBytes), target.Length);
            for (int i = 0; i < count; i++)
                target[i] = _output[(_outputCount - count + i) % KeptBytes];
            return count;
        }
    }

    /// <summary>Saves the registers; the output stays here.</summary>
    public void Save(StateWriter state)
    {
        lock (_lock)
        {
            state.U8(_interruptEnable);
            state.U8(_lineControl);
            state.U8(_modemControl);
            state.U8(_scratch);
            state.U8(_divisorLow);
            state.U8(_divisorHigh);
            state.Flag(_isEmptyPending);
        }
    }

    /// <summary>Takes the registers of a saved port.</summary>
    public void Load(ref StateReader state)
    {
        lock (_lock)
        {
            _interruptEnable = state.U8();
            _lineControl = state.U8();
            _modemControl = state.U8();
            _scratch = state.U8();
            _divisorLow = state.U8();
            _divisorHigh = state.U8();
            _isEmptyPending = state.Flag();
        }
    }

    /// <summary>Interrupts once more for what is pending: the interrupt may be lost between two VMs.</summary>
    public void RepeatInterrupt()
    {
        lock (_lock)
        {
            if (_isEmptyPending)
                _interrupt.Raise();
        }
    }

    private unsafe void Emit(byte value)
    {
        _output[_outputCount++ % KeptBytes] = value;
        if (_outputDescriptor >= 0)
            _ = Libc.write(_outputDescriptor, &value, 1);
    }

    private void RaiseEmpty()
    {
        _isEmptyPending = (_interruptEnable & InterruptOnEmpty) != 0;
        if (_isEmptyPending)
            _interrupt.Raise();
    }
}
