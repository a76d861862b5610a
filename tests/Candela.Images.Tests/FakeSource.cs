using Candela.Images.Naming;
using Candela.Images.Registry;
using Candela.Images.Storage;
using Candela.Model;

namespace Candela.Images.Tests;

/// <summary>A registry in memory.</summary>
internal sealed class FakeSource : IImageSource
{
    private readonly Dictionary<string, TarImage> _images = [];

    /// <summary>Blobs fetched, in order.</summary>
    public List<string> Fetched { get; } = [];

    /// <summary>Awaited before each blob.</summary>
    public Func<Descriptor, CancellationToken, Task> BeforeFetch { get; set; } = static (_, _) => Task.CompletedTask;

    public void Add(string reference, TarImage image) => _images[ImageReference.Parse(reference).WithDefaultTag().ToString()] = image;

    public Task<SourceImage> ResolveAsync(ImageReference reference, RegistryCredential? credential, CancellationToken cancellationToken) =>
        _images.TryGetValue(reference.ToString(), out TarImage? image)
            ? Task.FromResult<SourceImage>(new Found(this, image))
            : throw new CandelaException(ErrorCode.ImageNotFound, $"manifest for {reference.Familiar} not found");

    private sealed class Found(FakeSource source, TarImage image) : SourceImage
    {
        public override string ManifestDigest => Digests.Of(image.Manifest);

        public override byte[] Manifest => image.Manifest;

        public override Descriptor Configuration => new(Digests.Of(image.Configuration), image.Configuration.Length, "");

        public override IReadOnlyList<Descriptor> Layers => [.. image.Blobs.Select(static blob => new Descriptor(Digests.Of(blob), blob.Length, ""))];

        public override async Task FetchAsync(Descriptor blob, string destinationPath, IProgress<long>? progress, CancellationToken cancellationToken)
        {
            await source.BeforeFetch(blob, cancellationToken);
            lock (source.Fetched)
                source.Fetched.Add(blob.Digest);
            byte[] content = image.Blobs.Append(image.Configuration).First(content => Digests.Of(content) == blob.Digest);
            await File.WriteAllBytesAsync(destinationPath, content, cancellationToken);
            progress?.Report(content.Length);
        }

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
