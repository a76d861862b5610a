using System.Globalization;

namespace Candela.Microvisor.Qemu;

/// <summary>
/// QEMU's arguments (qemu-system-x86_64(1)). A snapshot is only understood by a VMM of the same machine, devices, order and ids, so parents
/// and clones share one form; placeholder disks stand in for what a clone is given later, because microvm has no hot-plug.
/// </summary>
internal static class CommandLine
{
    public const int QmpDescriptor = 10, AgentDescriptor = 11, MemoryDescriptor = 12, KernelDescriptor = 13, InitramfsDescriptor = 14, StateDescriptor = 13;

    /// <summary>The first card's tap; those of the others follow.</summary>
    public const int TapDescriptor = 15;

    /// <summary>Ids of the disks' devices, in the guest's order: image, scratch disk, volumes.</summary>
    public static readonly string[] Disks = [.. Enumerable.Range(0, 2 + MicroVmLimits.VolumeCount).Select(static i => $"disk{i}")];

    // The VM is the wall around a container: hardening of its own kernel against it is left out, and every path is short.
    private const string KernelArguments =
        "console=ttyS0 reboot=t panic=-1 quiet tsc=reliable no_timer_check nowatchdog psi=0 numa=off random.trust_cpu=on cryptomgr.notests "
        + "mitigations=off lsm= audit=0 init_on_alloc=0 hardened_usercopy=off randomize_kstack_offset=off transparent_hugepage=madvise rcupdate.rcu_expedited=1";

    /// <summary>Tells snapshots apart that were made with other arguments.</summary>
    public static uint Fingerprint(QemuOptions options, Accelerator accelerator, MicroVmSize size) =>
        VmmFolder.Hash(string.Join(' ', [.. Common(options, accelerator, size, shared: true), KernelArguments]));

    /// <summary>A parent: boots the guest into memory that is written back.</summary>
    public static string[] Parent(QemuOptions options, Accelerator accelerator, MicroVmSize size) =>
    [
        .. Common(options, accelerator, size, shared: true),
        "-kernel", $"/proc/self/fd/{KernelDescriptor}",
        "-initrd", $"/proc/self/fd/{InitramfsDescriptor}",
        "-append", $"{KernelArguments} {accelerator.KernelArguments}",
    ];

    /// <summary>A clone: maps memory copy-on-write and waits for device state.</summary>
    public static string[] Clone(QemuOptions options, Accelerator accelerator, MicroVmSize size) => [.. Common(options, accelerator, size, shared: false), "-incoming", "defer", "-S"];

    private static string[] Common(QemuOptions options, Accelerator accelerator, MicroVmSize size, bool shared)
    {
        string cpus = size.VCpus.ToString(CultureInfo.InvariantCulture);
        string memory = $"{size.MemoryBytes >> 20}M";
        return
        [
            options.QemuPath, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            // Without the PIT: the kernel does not use it, and it would wake an idle VMM 36 times a second.
            "-M", "microvm,x-option-roms=off,isa-serial=on,rtc=on,pit=off,memory-backend=ram,suppress-vmdesc=on",
            "-accel", accelerator.Argument,
            "-cpu", "max", "-smp", cpus, "-m", memory,
            "-object", $"memory-backend-file,id=ram,size={memory},mem-path=/proc/self/fd/{MemoryDescriptor},share={(shared ? "on" : "off")}",
            "-global", "migration.send-configuration=off",
            "-chardev", "ringbuf,id=console,size=65536", "-serial", "chardev:console",
            "-device", "virtio-serial-device,id=ports,max_ports=2",
            "-chardev", $"socket,id=agent,fd={AgentDescriptor},server=on,wait=off",
            "-device", "virtserialport,id=agent0,chardev=agent,name=candela.agent.0",
            .. Disks.SelectMany(static (id, i) => (string[])["-blockdev", Placeholder(i), "-device", $"virtio-blk-device,id={id},drive={PlaceholderNode(i)}"]),
            .. options.Taps is null ? [] : Enumerable.Range(0, MicroVmLimits.CardCount).SelectMany(Card),
            "-chardev", $"socket,id=qmp,fd={QmpDescriptor},server=on,wait=off", "-mon", "chardev=qmp,mode=control",
            "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        ];
    }

    // The guest tells cards apart by the MAC that they come with.
    private static string[] Card(int number) => ["-netdev", $"tap,id=net{number},fd={TapDescriptor + number}", "-device", $"virtio-net-device,id=nic{number},netdev=net{number},mac=02:cd:00:00:00:{number:x2}"];

    /// <summary>QEMU's node of a disk's placeholder.</summary>
    public static string PlaceholderNode(int disk) => string.Create(CultureInfo.InvariantCulture, $"none{disk}");

    private static string Placeholder(int disk) =>
        string.Create(CultureInfo.InvariantCulture, $"driver=null-co,node-name={PlaceholderNode(disk)},size={MicroVmLimits.DiskBytes},read-zeroes=on{(disk == 0 ? ",read-only=on" : "")}");
}
