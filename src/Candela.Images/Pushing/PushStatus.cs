using Candela.Images.Storage;

namespace Candela.Images.Pushing;

/// <summary>Reports on one layer of a push in Docker's words.</summary>
internal sealed class PushStatus(IProgress<ImageProgress>? progress, string diffId) : IProgress<long>
{
    private readonly string _id = Digests.Short(diffId);

    /// <summary>Bytes to upload.</summary>
    public long Total { get; set; }

    public void Announce() => Say("Preparing");

    public void Waiting() => Say("Waiting");

    public void AlreadyExists() => Say("Layer already exists");

    public void MountedFrom(string repository) => Say($"Mounted from {repository}");

    /// <summary>Uploading, this many bytes so far.</summary>
    public void Report(long value) => progress?.Report(new ImageProgress(_id, "Pushing", value, Total));

    public void Pushed() => Say("Pushed");

    private void Say(string status) => progress?.Report(new ImageProgress(_id, status));
}
