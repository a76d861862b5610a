using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Candela.Controller;
using Candela.Images;
using Candela.Microvisor;
using Candela.Model;

namespace Candela.Docker.Tests.Fake;

/// <summary>Images that are only records.</summary>
internal sealed class FakeImageService : IImageService
{
    private readonly ConcurrentDictionary<string, Image> _images = new();

    public FakeImageService() => Add("candela/base:latest", new ImageConfiguration
    {
        Environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        Command = ["sh"],
        Labels = new Dictionary<string, string> { ["made.by"] = "candela" },
    });

    /// <summary>Bytes that the last load or import has read.</summary>
    public long LastLoadedBytes { get; private set; }

    public RegistryCredential? LastCredential { get; private set; }

    public Task<IReadOnlyList<Image>> ListAsync(Caller caller, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<Image>>([.. _images.Values]);

    public Task<Image> GetAsync(Caller caller, string reference, CancellationToken cancellationToken)
    {
        var name = reference.LastIndexOf(':') > reference.LastIndexOf('/') ? reference : reference + ":latest";
        var digits = reference.Replace("sha256:", "", StringComparison.Ordinal);
        return Task.FromResult(_images.Values.FirstOrDefault(image => image.Tags.Contains(name))
            ?? _images.Values.FirstOrDefault(image => digits.Length > 3 && image.Id.StartsWith("sha256:" + digits, StringComparison.Ordinal))
            ?? throw new CandelaException(ErrorCode.ImageNotFound, $"There is no image {reference} here."));
    }

    public Task<Image> PullAsync(Caller caller, string reference, RegistryCredential? credential, IProgress<ImageProgress>? progress, CancellationToken cancellationToken)
    {
        LastCredential = credential;
        if (reference.Contains("missing", StringComparison.Ordinal))
            throw new CandelaException(ErrorCode.ImageNotFound, $"pull access denied for {reference}, repository does not exist or may require 'docker login'");
        progress?.Report(new ImageProgress("latest", $"Pulling from {reference}"));
        progress?.Report(new ImageProgress("0123456789ab", "Downloading", 512, 1024));
        if (reference.Contains("broken", StringComparison.Ordinal))
            throw new CandelaException(ErrorCode.ImageInvalid, "layer 0123456789ab: digest mismatch");
        progress?.Report(new ImageProgress("0123456789ab", "Pull complete"));
        progress?.Report(new ImageProgress(null, $"Status: Downloaded newer image for {reference}"));
        return Task.FromResult(Add(reference, _images.Values.First().Configuration));
    }

    public async Task<IReadOnlyList<Image>> LoadAsync(Caller caller, Stream archive, IProgress<ImageProgress>? progress, CancellationToken cancellationToken)
    {
        await ReadAsync(archive, cancellationToken);
        return [Add("loaded:latest", new ImageConfiguration { Command = ["sh"] })];
    }

    public async Task<PushedImage> PushAsync(Caller caller, string reference, RegistryCredential? credential, IProgress<ImageProgress>? progress, CancellationToken cancellationToken)
    {
        var image = await GetAsync(caller, reference, cancellationToken);
        progress?.Report(new ImageProgress(null, $"The push refers to repository [{reference}]"));
        return new PushedImage("latest", image.Id, 1);
    }

    public Task LoginAsync(Caller caller, string registry, RegistryCredential credential, CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task<RemoteImage> InspectRemoteAsync(Caller caller, string reference, RegistryCredential? credential, CancellationToken cancellationToken)
    {
        var image = await GetAsync(caller, reference, cancellationToken);
        return new RemoteImage("application/vnd.oci.image.manifest.v1+json", image.Id, 1, [new RemotePlatform("linux", "amd64", "")]);
    }

    public Task<string> BuildAsync(
        Caller caller, Stream context, Candela.Build.BuildRequest request, Func<string, RegistryCredential?> credentials, Candela.Build.IBuildOutput output, CancellationToken cancellationToken) =>
        throw new CandelaException(ErrorCode.NotSupported, "not in this fake");

    public Task<long> PruneBuildsAsync(Caller caller, CancellationToken cancellationToken) => Task.FromResult(0L);

    public async Task SaveAsync(Caller caller, IReadOnlyList<string> references, Func<Task<Stream>> begin, CancellationToken cancellationToken)
    {
        foreach (var reference in references)
            await GetAsync(caller, reference, cancellationToken);
        await (await begin()).WriteAsync("archive"u8.ToArray(), cancellationToken);
    }

    public async Task<Image> ImportAsync(Caller caller, Stream rootfsTar, string? reference, ImageConfiguration configuration, CancellationToken cancellationToken)
    {
        await ReadAsync(rootfsTar, cancellationToken);
        return Add(reference ?? "", configuration);
    }

    public Task<Image> CommitAsync(
        Caller caller, string container, string? reference, string author, string comment, Func<ImageConfiguration, ImageConfiguration> change, CancellationToken cancellationToken) =>
        Task.FromResult(Add(reference ?? "committed:latest", change(new ImageConfiguration { Environment = ["A=1", "B=2"], Command = ["sh"] })));

    public async Task TagAsync(Caller caller, string source, string target, CancellationToken cancellationToken)
    {
        var image = await GetAsync(caller, source, cancellationToken);
        _images[image.Id] = image with { Tags = [.. image.Tags.Append(target).Distinct()] };
    }

    public async Task<IReadOnlyList<ImageRemoval>> RemoveAsync(Caller caller, string reference, bool force, CancellationToken cancellationToken)
    {
        var image = await GetAsync(caller, reference, cancellationToken);
        if (image.Tags.Count > 1)
        {
            var name = reference.LastIndexOf(':') > reference.LastIndexOf('/') ? reference : reference + ":latest";
            _images[image.Id] = image with { Tags = [.. image.Tags.Where(tag => tag != name)] };
            return [new ImageRemoval(name, null)];
        }

        _images.TryRemove(image.Id, out _);
        return [.. image.Tags.Select(tag => new ImageRemoval(tag, null)), new ImageRemoval(null, image.Id)];
    }

    public Task<(IReadOnlyList<ImageRemoval> Removed, long FreedBytes)> PruneAsync(Caller caller, bool all, Func<Image, bool>? isMeant, CancellationToken cancellationToken) =>
        Task.FromResult<(IReadOnlyList<ImageRemoval>, long)>(([new ImageRemoval(null, "sha256:" + new string('b', 64))], 4096));

    public Task<long> GetDiskUsageAsync(Caller caller, CancellationToken cancellationToken) => Task.FromResult(1_500_000L);

    private Image Add(string reference, ImageConfiguration configuration)
    {
        var id = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(reference)));
        return _images[id] = new Image
        {
            Id = id,
            Tags = reference.Length == 0 ? [] : [reference],
            Digests = [],
            SizeBytes = 1_234_567,
            CreatedAt = DateTimeOffset.UtcNow.AddDays(-3),
            DiffIds = ["sha256:" + new string('a', 64)],
            Configuration = configuration,
        };
    }

    private async Task ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        LastLoadedBytes = 0;
        int count;
        while ((count = await stream.ReadAsync(buffer, cancellationToken)) > 0)
            LastLoadedBytes += count;
    }
}

/// <summary>A machine that is only a record.</summary>
internal sealed class FakeMachineService : IMachineService
{
    public Task<MachineReport> GetAsync(Caller caller, CancellationToken cancellationToken) => Task.FromResult(new MachineReport(
        "fakehost", "Debian GNU/Linux 12 (bookworm)", "6.1.0", 2, 8L << 30, "/var/lib/candela", "/run/candela",
        new DriverReport("Simulated", "none", "1", ["a test"]), "g1", "6.1.0-guest"));

    public Task<IReadOnlyList<ParentStatus>> ListParentsAsync(Caller caller, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<ParentStatus>>([]);

    public Task<ParentStatus> EnsureParentAsync(Caller caller, int vcpus, long memoryBytes, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task RemoveParentAsync(Caller caller, string key, CancellationToken cancellationToken) => throw new NotSupportedException();
}
