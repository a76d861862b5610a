namespace Candela.Model;

/// <summary>Stat of a path.</summary>
/// <param name="Name">Base name.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Mode">st_mode of Linux.</param>
/// <param name="ModifiedAt">Modification time.</param>
/// <param name="LinkTarget">Target of a symbolic link, or empty.</param>
public sealed record PathStat(string Name, long Size, uint Mode, DateTimeOffset ModifiedAt, string LinkTarget);
