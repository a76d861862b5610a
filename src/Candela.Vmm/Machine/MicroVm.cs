using System.Text;
using Candela.Vmm.Acpi;
using Candela.Vmm.Boot;
using Candela.Vmm.Control;
using Candela.Vmm.Kvm;
using Candela.Vmm.Legacy;
using Candela.Vmm.Loop;
using Candela.Vmm.Memory;
using Candela.Vmm.Native;
using Candela.Vmm.State;
using Candela.Vmm.Virtio;
using Candela.Vmm.Virtio.Block;
using Candela.Vmm.Virtio.Console;
using Candela.Vmm.Virtio.Entropy;
using Candela.Vmm.Virtio.Mmio;

namespace Candela.Vmm.Machine;

/// <summary>One VM: memory, vCPUs, devices, and the thread that serves them.</summary>
internal sealed class MicroVm
{
    /// <summary>Size of every disk as the guest sees it, 1 TiB, whatever file is behind it.</summary>
    public const ulong DiskBytes = 1UL << 40;

    private static readonly byte[] PortName = "candela.agent.0"u8.ToArray();

    private readonly GuestMemory _memory;
    private readonly PrivatePages? _privatePages;
    private readonly int _kvm;
    private readonly VirtualMachine _vm;
    private readonly IoApic _ioApic;
    private readonly Serial8250 _serial;
    private readonly ConsoleDevice _agent;
    private readonly BlockDevice[] _disks;
    private readonly MmioTransport[] _devices;
    private readonly List<Doorbell> _doorbells = [];
    private readonly VCpuThread[] _vCpus;
    private readonly EventFd _ended = new();
    private VCpuThread? _firstEnded;

    /// <summary>Makes a VM that stands still, with its kernel loaded.</summary>
    /// <exception cref="KvmException">KVM refused.</exception>
    /// <exception cref="BootException">The kernel cannot be booted.</exception>
    /// <exception cref="StateException">The device state does not fit.</exception>
    /// <exception cref="NativeException">A descriptor is not what it should be.</exception>
    public MicroVm(VmSpec spec)
    {
        _memory = MemoryFile.Map(spec.MemoryDescriptor, spec.MemoryBytes, spec.IsMemoryPrivate);
        _privatePages = spec.IsMemoryPrivate ? new PrivatePages(_memory) : null;
        int kvm = KvmDevice.Open(spec.KvmDescriptor);
        _vm = new VirtualMachine(kvm, _memory);
        _ioApic = new IoApic(_vm);
        EventFd serialLine = new();
        _vm.ConnectInterrupt(serialLine, Serial8250.Gsi);
        _serial = new Serial8250(serialLine, spec.SerialDescriptor);

        _agent = new ConsoleDevice(_memory, PortName);
        _disks = [new BlockDevice(_memory, "disk0"u8, DiskBytes, isReadOnly: true), new BlockDevice(_memory, "disk1"u8, DiskBytes, isReadOnly: false)];
        for (int i = 0; i < _disks.Length; i++)
            SetDisk(i, spec.DiskDescriptors[i]);
        VirtioDevice[] devices = [_agent, .. _disks, new EntropyDevice(_memory, new KernelEntropy())];
        _devices = new MmioTransport[devices.Length];
        for (int i = 0; i < devices.Length; i++)
            _devices[i] = Attach(devices[i], i);

        DeviceBus bus = new(_ioApic, _serial, _devices);
        VCpu[] vCpus = new VCpu[spec.VCpuCount];
        for (int i = 0; i < vCpus.Length; i++)
        {
            vCpus[i] = _vm.CreateVCpu(i, spec.VCpuCount);
        }

        _kvm = kvm;
        if (spec.StateDescriptor >= 0)
            Restore(spec.StateDescriptor, vCpus);
        else
            Boot(spec, vCpus);
        _vCpus = Array.ConvertAll(vCpus, vCpu => new VCpuThread(vCpu, bus, OnEnded));
        if (spec.AgentDescriptor >= 0)
            _ = new AgentEndpoint(Loop, _agent, spec.AgentDescriptor);
        if (spec.ControlDescriptor >= 0)
            _ = new ControlEndpoint(Loop, new VmCommands(this), spec.ControlDescriptor);
        Loop.Add(_ended.Descriptor, Linux.EPOLLIN, new Nothing());
    }

    /// <summary>The device thread's loop.</summary>
    public EventLoop Loop { get; } = new();

    /// <summary>Puts a file behind a disk; a negative descriptor takes it away.</summary>
    public void SetDisk(int index, int descriptor)
    {
        lock (_disks[index])
            _disks[index].Backend = descriptor < 0 ? null : new FileBackend(descriptor);
    }

    /// <summary>Starts the vCPUs' threads, which stand still.</summary>
    public void Start()
    {
        foreach (VCpuThread vCpu in _vCpus)
            vCpu.Start();
    }

    /// <summary>Whether the vCPUs stand still; they do after <see cref="Start"/>.</summary>
    public bool IsPaused { get; private set; } = true;

    /// <summary>Lets the vCPUs run.</summary>
    public void Resume()
    {
        IsPaused = false;
        foreach (VCpuThread vCpu in _vCpus)
            vCpu.Resume();
    }

    /// <summary>Stops all vCPUs and waits until they stand still.</summary>
    public void Pause()
    {
        foreach (VCpuThread vCpu in _vCpus)
            vCpu.RequestPause();
        foreach (VCpuThread vCpu in _vCpus)
            vCpu.WaitUntilPaused();
        IsPaused = true;
    }

    /// <summary>
    /// Writes what a clone that stands still has changed of its memory to its place in a file that holds what it started from; the result is
    /// how many bytes that was, null for a VM whose memory is in its own file anyway.
    /// </summary>
    /// <exception cref="NativeException">Writing failed.</exception>
    public ulong? SaveMemory(int descriptor) => _privatePages?.WriteTo(descriptor);

    /// <summary>The device state of a VM that stands still, as a file. On the device thread, so that no device works meanwhile.</summary>
    /// <exception cref="KvmException">KVM refused.</exception>
    public byte[] Save()
    {
        uint[] modelRegisters = ModelRegister.List(_kvm);
        VCpuState[] vCpus = new VCpuState[_vCpus.Length];
        uint tscKhz = 0;
        for (int i = 0; i < vCpus.Length; i++)
        {
            int index = i;
            _vCpus[i].Invoke(vCpu =>
            {
                tscKhz = vCpu.GetTscKhz();
                vCpus[index] = VCpuState.Read(vCpu, modelRegisters);
            });
        }

        StateWriter state = new();
        state.U64(_memory.SizeBytes);
        state.U32((uint)vCpus.Length);
        state.U32((uint)_devices.Length);
        state.U32(tscKhz);
        state.U64(_vm.GetClock());
        _ioApic.Save(state);
        _serial.Save(state);
        foreach (MmioTransport device in _devices)
            device.Save(state);
        foreach (VCpuState vCpu in vCpus)
            vCpu.Save(state);
        return StateFile.Pack(state);
    }

    /// <summary>Serves the devices until a vCPU ends; the result is that vCPU's thread.</summary>
    public VCpuThread Serve()
    {
        while (true)
        {
            Loop.Turn();
            if (Volatile.Read(ref _firstEnded) is { } ended)
                return ended;
        }
    }

    /// <summary>The last lines of the guest's console.</summary>
    public string ReadConsole()
    {
        byte[] output = new byte[Serial8250.KeptBytes];
        return Encoding.UTF8.GetString(output, 0, _serial.CopyOutput(output));
    }

    private MmioTransport Attach(VirtioDevice device, int index)
    {
        EventFd line = new();
        _vm.ConnectInterrupt(line, Platform.VirtioGsi + index);
        ulong notify = Platform.VirtioAddress + (ulong)index * Platform.VirtioStride + MmioRegister.QueueNotify;
        for (int queue = 0; queue < device.Queues.Length; queue++)
        {
            Doorbell doorbell = new(device, queue);
            _doorbells.Add(doorbell);
            _vm.ConnectNotification(doorbell.Bell, notify, (uint)queue);
            Loop.Add(doorbell.Bell.Descriptor, Linux.EPOLLIN, doorbell);
        }

        return new MmioTransport(device, line);
    }

    private void Boot(VmSpec spec, VCpu[] vCpus)
    {
        using FileMapping kernel = new(spec.KernelDescriptor, "the kernel");
        using FileMapping? initramfs = spec.InitramfsDescriptor < 0 ? null : new FileMapping(spec.InitramfsDescriptor, "the initial RAM disk");
        BootEntry entry = KernelLoader.Load(_memory, kernel.Bytes, initramfs is null ? default : initramfs.Bytes, Encoding.UTF8.GetBytes(spec.CommandLine));
        AcpiTables.Write(_memory, spec.VCpuCount, _devices.Length);
        BootRegisters.WriteTables(_memory, entry.IsLongMode);
        foreach (VCpu vCpu in vCpus)
            vCpu.ApplyCpuid();
        vCpus[0].Enter(entry);
    }

    private void Restore(int descriptor, VCpu[] vCpus)
    {
        using FileMapping file = new(descriptor, "the device state");
        StateReader state = StateFile.Unpack(file.Bytes);
        if (state.U64() != _memory.SizeBytes || state.U32() != (uint)vCpus.Length || state.U32() != (uint)_devices.Length)
            throw new StateException("it is of a VM of another size");
        uint tscKhz = state.U32();
        ulong clock = state.U64();
        _ioApic.Load(ref state);
        _serial.Load(ref state);
        foreach (MmioTransport device in _devices)
            device.Load(ref state);
        foreach (VCpu vCpu in vCpus)
        {
            VCpuState loaded = VCpuState.Load(ref state);
            if (vCpu.GetTscKhz() != tscKhz)
                vCpu.SetTscKhz(tscKhz);
            loaded.Apply(vCpu);
        }

        if (state.Remaining != 0)
            throw new StateException("it is longer than it should be");
        _vm.SetClock(clock);
        // What was on its way when the VM stood still: notifications are worked on again, interrupts raised again.
        foreach (Doorbell doorbell in _doorbells)
            doorbell.Bell.Raise();
        foreach (MmioTransport device in _devices)
            device.RepeatInterrupt();
        _serial.RepeatInterrupt();
    }

    private void OnEnded(VCpuThread vCpu)
    {
        Interlocked.CompareExchange(ref _firstEnded, vCpu, null);
        _ended.Raise();
    }

    private sealed class Nothing : IEventSource
    {
        public void OnReady(uint events)
        {
        }
    }
}
