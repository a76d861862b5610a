namespace Candela.Guest.Processes.Launch;

/// <summary>Whom a process runs as.</summary>
/// <param name="Uid">User id.</param>
/// <param name="Gid">Primary group.</param>
/// <param name="Groups">Supplementary groups.</param>
/// <param name="Home">Home directory.</param>
internal readonly record struct ProcessUser(uint Uid, uint Gid, uint[] Groups, string Home)
{
    /// <summary>What the container's user database says.</summary>
    public ProcessUser((uint Uid, uint Gid, uint[] Groups, string Home) resolved)
        : this(resolved.Uid, resolved.Gid, resolved.Groups, resolved.Home)
    {
    }
}
