using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Files;

/// <summary>Stat of a path in the container, by Docker's rules for <c>docker cp</c>.</summary>
internal static class PathStatReader
{
    /// <summary>Reads it. A symbolic link at the end of the path is not followed, unless "/" or "/." comes after it.</summary>
    /// <exception cref="AgentFailure">NoSuchPath, or a failed call.</exception>
    public static ArchiveStat Read(ConfinedRoot root, string path)
    {
        using var subject = ArchiveSubject.Open(root, path);
        return subject.Stat;
    }

    /// <summary>Reads it, for a root that is opened for this alone.</summary>
    /// <exception cref="AgentFailure">NoSuchPath, or a failed call.</exception>
    public static ArchiveStat Read(string root, string path)
    {
        using var confined = new ConfinedRoot(root);
        return Read(confined, path);
    }
}
