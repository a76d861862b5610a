using System.Globalization;
using Candela.Vmm.Kvm;
using Candela.Vmm.Machine;
using Candela.Vmm.Native;

namespace Candela.Vmm.Control;

/// <summary>
/// The commands: <c>pause</c>, <c>resume</c>, <c>status</c>, <c>snapshot [FD]</c> (device state of a paused VM into a file),
/// <c>memory [FD]</c> (what a paused clone has changed, into a copy of the memory that it started from),
/// <c>disk INDEX [FD]</c> (a file behind a disk). Without FD, an open descriptor's number, the one that came with the command is used.
/// </summary>
internal sealed unsafe class VmCommands(MicroVm vm) : ICommandHandler
{
    /// <inheritdoc/>
    public string Handle(string command, Queue<int> descriptors)
    {
        string[] words = command.Split(' ');
        try
        {
            switch (words)
            {
                case ["pause"]:
                    vm.Pause();
                    return "ok";
                case ["resume"]:
                    vm.Resume();
                    return "ok";
                case ["status"]:
                    return vm.IsPaused ? "ok paused" : "ok running";
                case ["snapshot", ..]:
                    if (!TryDescriptor(words, 1, descriptors, out int target))
                        return "error: snapshot needs a descriptor";
                    return Snapshot(target);
                case ["memory", ..]:
                    if (!TryDescriptor(words, 1, descriptors, out int memory))
                        return "error: memory needs a descriptor";
                    return SaveMemory(memory);
                case ["disk", "0" or "1", ..]:
                    if (!TryDescriptor(words, 2, descriptors, out int disk))
                        return "error: disk needs a descriptor";
                    vm.SetDisk(words[1][0] - '0', disk);
                    return "ok";
                default:
                    return "error: the commands are pause, resume, status, snapshot [FD], memory [FD], disk INDEX [FD]";
            }
        }
        catch (Exception e) when (e is KvmException or NativeException)
        {
            return $"error: {e.Message}";
        }
    }

    private string SaveMemory(int target)
    {
        if (!vm.IsPaused)
            return "error: pause the VM before its memory is saved";
        return vm.SaveMemory(target) is { } bytes
            ? string.Create(CultureInfo.InvariantCulture, $"ok {bytes}")
            : "error: the memory of this VM is in its own file already";
    }

    private string Snapshot(int target)
    {
        if (!vm.IsPaused)
            return "error: pause the VM before a snapshot";
        byte[] state = vm.Save();
        fixed (byte* start = state)
        {
            for (int done = 0; done < state.Length;)
            {
                nint count = Libc.write(target, start + done, (nuint)(state.Length - done));
                if (count <= 0)
                    return $"error: writing the device state failed: errno {Errno.Last}";
                done += (int)count;
            }
        }

        return string.Create(CultureInfo.InvariantCulture, $"ok {state.Length}");
    }

    private static bool TryDescriptor(string[] words, int at, Queue<int> descriptors, out int descriptor) =>
        words.Length == at + 1
            ? int.TryParse(words[at], NumberStyles.None, CultureInfo.InvariantCulture, out descriptor)
            : descriptors.TryDequeue(out descriptor) && words.Length == at;
}
