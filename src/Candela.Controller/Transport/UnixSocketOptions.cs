namespace Candela.Controller.Transport;

/// <summary>How Unix sockets are made and how much a connection may hold in memory.</summary>
public sealed class UnixSocketOptions
{
    /// <summary>Permissions of the socket file.</summary>
    public UnixFileMode Mode { get; set; } =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>Group of the socket file; when there is no such group it stays the daemon's own.</summary>
    public string Group { get; set; } = "candela";

    /// <summary>Connections that the kernel holds before they are accepted (capped by net.core.somaxconn).</summary>
    public int Backlog { get; set; } = 1024;

    /// <summary>Bytes received and not yet read at which receiving pauses.</summary>
    public long InputPauseBytes { get; set; } = 1024 * 1024;

    /// <summary>Bytes written and not yet sent at which the writer waits.</summary>
    public long OutputPauseBytes { get; set; } = 256 * 1024;
}
