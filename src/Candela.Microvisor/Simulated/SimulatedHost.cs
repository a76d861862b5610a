using System.Collections.Concurrent;
using System.Globalization;

namespace Candela.Microvisor.Simulated;

/// <summary>
/// What outlives a daemon: parents and running micro-VMs. A daemon's restart is a new <see cref="SimulatedMicrovisor"/> over the same host.
/// </summary>
/// <param name="guest">Plays the guest of each clone at its end of the agent's port; it powers off by returning, and dies by throwing.</param>
/// <param name="time">Clock of all latencies.</param>
public sealed class SimulatedHost(Func<CloneSpec, Stream, CancellationToken, Task> guest, TimeProvider time)
{
    private const int FirstProcessId = 1000;

    private readonly ConcurrentDictionary<string, SimulatedVmm> _vmms = new(StringComparer.Ordinal);
    private int _sequence;

    /// <summary>Plays the guest of a fork; gets the source's <see cref="CloneSpec"/> first. The guest of a clone by default.</summary>
    public Func<CloneSpec, CloneSpec, Stream, CancellationToken, Task> ForkedGuest { get; set; } = (_, fork, stream, token) => guest(fork, stream, token);

    /// <summary>What takes its time or goes wrong.</summary>
    public SimulatedFaults Faults { get; } = new();

    /// <summary>Records of the micro-VMs that run.</summary>
    public IReadOnlyList<MicroVmRecord> Running => [.. _vmms.Values.Select(v => v.Record).OrderBy(r => r.ProcessId)];

    internal TimeProvider Time => time;

    internal ConcurrentDictionary<string, Lazy<Task<ParentStatus>>> Parents { get; } = new(StringComparer.Ordinal);

    /// <summary>Lets the VMM of a micro-VM die, as if somebody had killed it.</summary>
    /// <param name="id">Its <see cref="CloneSpec.Id"/>.</param>
    /// <param name="detail">Becomes <see cref="MicroVmExit.Detail"/>.</param>
    public void Crash(string id, string detail)
    {
        foreach (SimulatedVmm vmm in _vmms.Values.Where(v => v.Record.Id == id))
            vmm.End(new MicroVmExit(GuestPowerOff: false, detail));
    }

    internal SimulatedVmm? Find(string folder) => _vmms.GetValueOrDefault(folder);

    internal SimulatedVmm Start(CloneSpec spec, string parentKey, CloneSpec? source)
    {
        int number = Interlocked.Increment(ref _sequence);
        var record = new MicroVmRecord
        {
            Id = spec.Id,
            Folder = number.ToString("x8", CultureInfo.InvariantCulture),
            Driver = SimulatedMicrovisor.DriverName,
            ProcessId = FirstProcessId + number,
            ProcessStartTicks = time.GetTimestamp(),
            UserId = (uint)number,
            Size = spec.Size,
            ParentKey = parentKey,
            ImagePath = spec.ImagePath,
            ScratchPath = spec.ScratchPath,
        };
        var vmm = new SimulatedVmm(spec, record, v => _vmms.TryRemove(v.Record.Folder, out _));
        _vmms[record.Folder] = vmm;
        Func<Stream, CancellationToken, Task> play = source is null ? (stream, token) => guest(spec, stream, token) : (stream, token) => ForkedGuest(source, spec, stream, token);
        _ = Task.Run(() => vmm.RunAsync(Faults.Guest(spec), play));
        return vmm;
    }
}
