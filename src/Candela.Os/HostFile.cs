namespace Candela.Os;

/// <summary>A file that a host image carries.</summary>
/// <param name="Path">Where it is in the image, without leading slash, in one of the folders bin, files and tmp.</param>
/// <param name="Source">Where it is taken from.</param>
public sealed record HostFile(string Path, string Source);
