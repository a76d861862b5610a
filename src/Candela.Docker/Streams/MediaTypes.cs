namespace Candela.Docker.Streams;

/// <summary>Media types of Docker's streams.</summary>
internal static class MediaTypes
{
    public const string Raw = "application/vnd.docker.raw-stream";
    public const string Multiplexed = "application/vnd.docker.multiplexed-stream";
    public const string Tar = "application/x-tar";
    public const string OctetStream = "application/octet-stream";
    public const string Json = "application/json";
}
