using System.Diagnostics;
using Candela.Guest.Protocol.Host;
using Candela.Microvisor.Qemu;
using Candela.Os;
using Candela.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Microvisor.Tests.Qemu;

/// <summary>
/// What all tests with real micro-VMs share: guest, disks, a kept parent and a driver. In the end nothing of any driver may be left.
/// </summary>
public sealed class QemuHost : IAsyncLifetime
{
    public static readonly MicroVmSize Size = new(1, 128L << 20);

    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _runFolders = [];
    private GuestImage? _guest;
    private QemuMicrovisor? _driver;
    private int _sequence;

    /// <summary>The driver of tests that leave it as it was.</summary>
    public QemuMicrovisor Driver => _driver!;

    public string RunFolder => _runFolders[0];

    public string ParentsFolder => _folder.File("parents");

    public string ImagePath => _folder.File("image.squashfs");

    public string ScratchTemplate => _folder.File("template.ext4");

    public async ValueTask InitializeAsync()
    {
        var options = new GuestBuilderOptions { CacheFolder = Programs.GuestCache, AgentPath = Programs.Guest };
        _guest = await new GuestBuilder(options, NullLogger<GuestBuilder>.Instance).BuildAsync(progress: null, CancellationToken.None);
        MakeDisks();
        _driver = await OpenAsync(NewRunFolder());
        await _driver.EnsureParentAsync(Size, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (_driver is not null)
            await _driver.DisposeAsync();
        try
        {
            foreach (string folder in _runFolders)
                AssertNothingLeft(folder);
        }
        finally
        {
            foreach (string folder in _runFolders.Where(f => Directory.EnumerateDirectories(f).Any()))
                await (await OpenAsync(folder)).CleanOrphansAsync(new HashSet<string>(), CancellationToken.None);
            _folder.Dispose();
        }
    }

    /// <summary>A run folder of an instance of its own.</summary>
    public string NewRunFolder()
    {
        string folder = _folder.File($"run{Interlocked.Increment(ref _sequence)}");
        _runFolders.Add(folder);
        return folder;
    }

    /// <summary>Another driver, as of a daemon that starts anew on the same folders.</summary>
    public Task<QemuMicrovisor> OpenAsync(string runFolder, string? parentsFolder = null) => QemuMicrovisor.OpenAsync(
        new QemuOptions
        {
            ParentsFolder = parentsFolder ?? ParentsFolder,
            RunFolder = runFolder,
            JailerPath = Programs.Jailer,
            GuestVersion = _guest!.Version,
            KernelPath = _guest.KernelPath,
            InitramfsPath = _guest.InitramfsPath,
            AgentReady = GreetAsync,
            WaitingCount = 1,
            RehearsalTimeout = TimeSpan.FromSeconds(10),
        },
        NullLogger<QemuMicrovisor>.Instance,
        TestContext.Current.CancellationToken);

    /// <summary>What a clone is given, with a fresh scratch disk.</summary>
    public CloneSpec NewSpec()
    {
        string id = $"test-{Interlocked.Increment(ref _sequence)}";
        string scratch = _folder.File(id + ".ext4");
        Run("cp", "--sparse=always", ScratchTemplate, scratch);
        return new CloneSpec { Id = id, Size = Size, ImagePath = ImagePath, ScratchPath = scratch };
    }

    public Task<IMicroVm> CloneAsync() => Driver.CloneAsync(NewSpec(), TestContext.Current.CancellationToken);

    /// <summary>Runs a program of the host to its end.</summary>
    public static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program}: {errors}");
    }

    /// <summary>No folder, process, or cgroup of an instance remains.</summary>
    public static void AssertNothingLeft(string runFolder)
    {
        Assert.Empty(Directory.Exists(runFolder) ? Directory.GetFileSystemEntries(runFolder) : []);
        uint hash = VmmFolder.Hash(runFolder);
        uint block = 0x6000_0000 | (hash & 0xFFF_0000);
        Assert.DoesNotContain(Directory.GetDirectories("/proc").Select(UserOf), user => user is { } id && (id & 0xFFFF_0000) == block);
        Assert.Empty(new Cgroups($"{hash:x8}", File.ReadAllLines("/proc/self/mountinfo")).List());
        Assert.DoesNotContain(File.ReadAllLines("/proc/self/mountinfo"), line => line.Contains(runFolder, StringComparison.Ordinal));
    }

    private static uint? UserOf(string process)
    {
        try
        {
            string? line = File.ReadLines(process + "/status").FirstOrDefault(l => l.StartsWith("Uid:", StringComparison.Ordinal));
            return line is null ? null : uint.Parse(line.Split('\t')[1], System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null; // not a process, or one that has ended
        }
    }

    private static async Task GreetAsync(Stream stream, CancellationToken cancellationToken)
    {
        await using AgentConnection agent = await AgentConnection.ConnectAsync(
            stream, new Deaf(), mayBeTorn: false, Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
    }

    private void MakeDisks()
    {
        string root = _folder.File("root");
        foreach (string folder in new[] { "bin", "dev", "etc", "proc", "sys", "tmp", "run" })
            Directory.CreateDirectory(Path.Combine(root, folder));
        File.Copy("/bin/busybox", Path.Combine(root, "bin/busybox"));
        foreach (string applet in new[] { "sh", "cat", "echo", "head", "hexdump", "hostname", "sleep", "sync", "true" })
            File.CreateSymbolicLink(Path.Combine(root, "bin", applet), "busybox");
        Run("mksquashfs", root, ImagePath, "-quiet", "-no-progress", "-noappend", "-comp", "gzip");
        Directory.CreateDirectory(_folder.File("content/upper"));
        Directory.CreateDirectory(_folder.File("content/work/work"));
        using (FileStream template = File.Create(ScratchTemplate))
            template.SetLength(64 << 20);
        Run("mkfs.ext4", "-q", "-F", "-m", "0", "-d", _folder.File("content"), ScratchTemplate);
    }

    private sealed class Deaf : IAgentEvents
    {
        public ValueTask OnOutputAsync(uint process, OutputStream stream, ulong position, ReadOnlyMemory<byte> data) => ValueTask.CompletedTask;

        public ValueTask OnExitAsync(uint process, ProcessExit exit) => ValueTask.CompletedTask;
    }
}

/// <summary>Tests with real micro-VMs run one after the other and share a <see cref="QemuHost"/>.</summary>
[CollectionDefinition("qemu")]
public sealed class QemuCollection : ICollectionFixture<QemuHost>;
