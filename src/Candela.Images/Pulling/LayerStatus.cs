using Candela.Images.Storage;

namespace Candela.Images.Pulling;

/// <summary>Reports on one layer in Docker's words.</summary>
internal sealed class LayerStatus(IProgress<ImageProgress>? progress, string digest, long size) : IProgress<long>
{
    private readonly string _id = Digests.Short(digest);

    /// <summary>The layer's digest.</summary>
    public string Digest => digest;

    /// <summary>Whether the store had the layer already.</summary>
    public bool WasThere { get; private set; }

    public void Announce() => Say("Pulling fs layer");

    public void Waiting() => Say("Waiting");

    public void AlreadyExists()
    {
        WasThere = true;
        Say("Already exists");
    }

    /// <summary>Downloading, this many bytes so far.</summary>
    public void Report(long value) => progress?.Report(new ImageProgress(_id, "Downloading", value, size));

    public void Downloaded()
    {
        Say("Verifying Checksum");
        Say("Download complete");
    }

    public void Extracting(long done)
    {
        if (!WasThere)
            progress?.Report(new ImageProgress(_id, "Extracting", Math.Min(done, size), size));
    }

    /// <summary>Loading from an archive, which is all that is said of it.</summary>
    public void Loading(long done) => progress?.Report(new ImageProgress(_id, "Loading layer", Math.Min(done, size), size));

    public void Complete()
    {
        if (!WasThere)
            Say("Pull complete");
    }

    private void Say(string status) => progress?.Report(new ImageProgress(_id, status));
}
