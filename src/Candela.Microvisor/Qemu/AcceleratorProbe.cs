using System.Text.Json;
using Candela.Microvisor.Native;
using Microsoft.Extensions.Logging;

namespace Candela.Microvisor.Qemu;

/// <summary>
/// Chooses how vCPUs run by a measurement: that /dev/kvm exists says little, because on a cloud machine it may be served by something that
/// emulates each instruction of a kernel. The guest itself is booted; the result holds until the host is booted anew.
/// </summary>
internal static class AcceleratorProbe
{
    private static readonly MicroVmSize ProbeSize = new(1, 256L << 20);

    /// <summary>Chooses, and says why.</summary>
    /// <param name="options">Settings.</param>
    /// <param name="version">QEMU's version.</param>
    /// <param name="context">Makes a context for a trial.</param>
    /// <param name="logger">Log.</param>
    /// <param name="cancellationToken">Ends the probe.</param>
    public static async Task<(Accelerator Accelerator, DriverReport Report)> RunAsync(
        QemuOptions options, string version, Func<Accelerator, VmmContext> context, ILogger logger, CancellationToken cancellationToken)
    {
        (Accelerator accelerator, string reason) = await ChooseAsync(options, version, context, logger, cancellationToken);
        string[] reasons = [reason, $"VMMs are limited by {context(accelerator).Cgroups.Description}"];
        return (accelerator, new DriverReport(QemuMicrovisor.DriverName, accelerator.Name, version, reasons));
    }

    private static async Task<(Accelerator Accelerator, string Reason)> ChooseAsync(
        QemuOptions options, string version, Func<Accelerator, VmmContext> context, ILogger logger, CancellationToken cancellationToken)
    {
        if (!File.Exists(Accelerator.KvmDevice))
            return (Accelerator.Tcg, "emulation, because there is no /dev/kvm");
        if (Group() is not { } group)
            return (Accelerator.Tcg, "emulation, because neither everybody nor a group may use /dev/kvm, and a VMM never runs as root");

        Accelerator kvm = Accelerator.Kvm(group.Id);
        string key = $"{(await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id", cancellationToken)).Trim()} {version} {options.GuestVersion} {group.Id}";
        string kept = Path.Combine(options.ParentsFolder, "accelerator.json");
        if (Read(kept) is { } known && known.Key == key)
            return (known.Kvm ? kvm : Accelerator.Tcg, known.Reason);

        (bool usable, string reason) = await TryAsync(options, context(kvm), logger, cancellationToken);
        Directory.CreateDirectory(options.ParentsFolder);
        await File.WriteAllBytesAsync(kept, JsonSerializer.SerializeToUtf8Bytes(new Verdict(key, usable, reason)), cancellationToken);
        return (usable ? kvm : Accelerator.Tcg, reason);
    }

    private static async Task<(bool Usable, string Reason)> TryAsync(QemuOptions options, VmmContext context, ILogger logger, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(options.KvmProbeTimeout);
        try
        {
            TimeSpan took = await new ParentBoot(context, logger).MeasureAsync(ProbeSize, deadline.Token);
            return (true, $"KVM, because the guest boots under it in {took.TotalMilliseconds:0} ms");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (false, $"emulation, because under KVM the guest does not boot within {options.KvmProbeTimeout.TotalSeconds:0} s");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return (false, $"emulation, because KVM does not work here: {e.Message}");
        }
    }

    private static (uint? Id, bool Usable)? Group()
    {
        const UnixFileMode everybody = UnixFileMode.OtherRead | UnixFileMode.OtherWrite, members = UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
        UnixFileMode mode = File.GetUnixFileMode(Accelerator.KvmDevice);
        if ((mode & everybody) == everybody)
            return (null, true);
        return (mode & members) == members && Libc.GroupOf(Accelerator.KvmDevice) is var group && group != 0 ? (group, true) : null;
    }

    private static Verdict? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<Verdict>(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null;
        }
    }

    private sealed record Verdict(string Key, bool Kvm, string Reason);
}
