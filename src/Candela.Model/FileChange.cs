namespace Candela.Model;

/// <summary>A difference between a container's file system and its image.</summary>
/// <param name="Path">Absolute path.</param>
/// <param name="Kind">What happened to it.</param>
public sealed record FileChange(string Path, FileChangeKind Kind)
{
    /// <summary>Most differences that are listed.</summary>
    public const int CountMost = 1_000_000;
}

/// <summary>What happened to a path; the numbers are Docker's.</summary>
public enum FileChangeKind
{
    /// <summary>Content, owner, mode, or something in it changed.</summary>
    Modified = 0,

    /// <summary>It is not in the image.</summary>
    Added = 1,

    /// <summary>It is in the image only.</summary>
    Deleted = 2,
}
