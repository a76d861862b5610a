using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Candela.Guest.Protocol.Host;
using Candela.Microvisor.Native;
using Candela.Os;
using Candela.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Vmm.Tests.Nested;

/// <summary>
/// A host with /dev/kvm on any machine: a Debian kernel in QEMU's emulation of nested SVM, which carries candela-vmm and a guest. Its shell
/// and its VMs' agents are reached through virtio ports.
/// </summary>
internal sealed class NestedHost : IAsyncDisposable
{
    /// <summary>Ports for agents and commands: /dev/vport0p2 and on.</summary>
    public const int PortCount = 8;

    private const string EndMark = "__end ";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    // A kernel that measures the counter itself on a busy machine measures wrongly, and its timers and its guests' come late or never.
    private static readonly string HostKernelArguments =
        string.Create(CultureInfo.InvariantCulture, $"console=ttyS0 quiet panic=-1 mitigations=off tsc=reliable no_timer_check tsc_early_khz={TimeStampCounter.MeasureKilohertz()}");

    private readonly TemporaryFolder _folder;
    private readonly Process _qemu;
    private readonly Socket _shell;
    private readonly StreamReader _output;
    private readonly StreamWriter _input;

    private NestedHost(TemporaryFolder folder, Process qemu, Socket shell)
    {
        _folder = folder;
        _qemu = qemu;
        _shell = shell;
        NetworkStream stream = new(shell);
        _output = new StreamReader(stream, new UTF8Encoding(false));
        _input = new StreamWriter(stream, new UTF8Encoding(false)) { AutoFlush = true };
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Arguments for the guest's kernel.</summary>
    public const string KernelArguments = "console=ttyS0 quiet reboot=k panic=-1 tsc=reliable no_timer_check mitigations=off cryptomgr.notests random.trust_cpu=on";

    /// <summary>Boots it with candela-vmm in /bin, the guest in /files/vmlinuz and /files/initramfs, and more files.</summary>
    public static async Task<NestedHost> StartAsync(params IReadOnlyList<HostFile> files)
    {
        TemporaryFolder folder = new();
        GuestImage guest = await new GuestBuilder(
            new GuestBuilderOptions { CacheFolder = Programs.GuestCache, AgentPath = Programs.Guest }, NullLogger<GuestBuilder>.Instance).BuildAsync(null, Token);
        HostImage image = await new HostImageBuilder(Programs.HostCache, NullLogger<HostImageBuilder>.Instance).BuildAsync(
            folder.Path,
            "/bin/busybox",
            [new("bin/candela-vmm", Programs.Vmm), new("files/vmlinuz", guest.KernelPath), new("files/initramfs", guest.InitramfsPath), .. files],
            Token);

        List<string> arguments =
        [
            "-M", "q35", "-accel", "tcg", "-cpu", "max,+svm", "-m", "1024", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-kernel", image.KernelPath, "-initrd", image.InitramfsPath, "-append", HostKernelArguments,
            "-serial", $"file:{folder.File("console")}", "-device", "virtio-serial-pci,max_ports=16",
        ];
        for (int port = 1; port <= 1 + PortCount; port++)
        {
            string number = port.ToString(CultureInfo.InvariantCulture);
            arguments.AddRange(["-chardev", $"socket,id=port{number},path={folder.File("port" + number)},server=on,wait=off", "-device", $"virtserialport,nr={number},chardev=port{number},name=host.{number}"]);
        }

        Process qemu = Process.Start(new ProcessStartInfo("qemu-system-x86_64", arguments) { RedirectStandardError = true })!;
        Socket shell = await ConnectAsync(folder.File("port1"), qemu);
        NestedHost host = new(folder, qemu, shell);
        Assert.Equal("", await host.RunAsync("ls /dev/kvm >/dev/null"));
        return host;
    }

    /// <summary>Runs a command that must succeed, and returns what it printed.</summary>
    public async Task<string> RunAsync(string command)
    {
        (int code, string output) = await TryRunAsync(command);
        Assert.True(code == 0, $"{command}: exit code {code}: {output}");
        return output;
    }

    /// <summary>Runs a command, and returns its exit code and what it printed.</summary>
    public async Task<(int Code, string Output)> TryRunAsync(string command)
    {
        await _input.WriteLineAsync($"{command}\necho \"{EndMark}$?\"".AsMemory(), Token);
        StringBuilder output = new();
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(Patience);
        while (true)
        {
            string? line;
            try
            {
                line = await _output.ReadLineAsync(patience.Token);
            }
            catch (OperationCanceledException) when (!Token.IsCancellationRequested)
            {
                throw new TimeoutException($"{command} did not end; so far: {output}; console: {ReadConsole()}");
            }

            if (line is null)
                throw new IOException($"the nested host has ended: {ReadConsole()}");
            if (line.StartsWith(EndMark, StringComparison.Ordinal))
                return (int.Parse(line[EndMark.Length..], CultureInfo.InvariantCulture), output.ToString());
            output.Append(line).Append('\n');
        }
    }

    /// <summary>Connects to a VM's agent through port /dev/vport0pN.</summary>
    public async Task<AgentConnection> ConnectAgentAsync(int port, IAgentEvents? events = null, bool mayBeTorn = false)
    {
        return await AgentConnection.ConnectAsync(await ConnectPortAsync(port), events ?? new SilentEvents(), mayBeTorn, Patience, TimeProvider.System, Token);
    }

    /// <summary>Connects to what a program in the host does with port /dev/vport0pN.</summary>
    public async Task<Stream> ConnectPortAsync(int port) => new NetworkStream(await ConnectAsync(_folder.File($"port{port}"), _qemu), ownsSocket: true);

    public async ValueTask DisposeAsync()
    {
        _shell.Dispose();
        _output.Dispose();
        _qemu.Kill();
        await _qemu.WaitForExitAsync(CancellationToken.None);
        _qemu.Dispose();
        _folder.Dispose();
    }

    private string ReadConsole() => File.ReadAllText(_folder.File("console"));

    private static async Task<Socket> ConnectAsync(string path, Process qemu)
    {
        for (long start = Stopwatch.GetTimestamp(); ;)
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), Token);
                return socket;
            }
            catch (SocketException) when (!qemu.HasExited && Stopwatch.GetElapsedTime(start) < Patience)
            {
                socket.Dispose();
                await Task.Delay(10, Token);
            }
        }
    }

    private sealed class SilentEvents : IAgentEvents
    {
        public ValueTask OnOutputAsync(uint process, OutputStream stream, ulong position, ReadOnlyMemory<byte> data) => ValueTask.CompletedTask;

        public ValueTask OnExitAsync(uint process, ProcessExit exit) => ValueTask.CompletedTask;
    }
}
