namespace Candela.Cli.Terminal;

/// <summary>
/// Puts the terminal on standard input into raw mode, so that every key reaches the container; gives the former mode
/// back on dispose and, for exits that run no finally block, at process exit.
/// </summary>
internal sealed unsafe class RawMode : IDisposable
{
    private Libc.Termios former;
    private bool active;

    private RawMode()
    {
    }

    public static RawMode Enter()
    {
        var mode = new RawMode();
        Libc.Termios current;
        if (Libc.tcgetattr(0, &current) != 0)
            return mode;
        mode.former = current;
        Libc.cfmakeraw(&current);
        AppDomain.CurrentDomain.ProcessExit += mode.OnExit;
        mode.active = Libc.tcsetattr(0, Libc.TCSADRAIN, &current) == 0;
        return mode;
    }

    public static (ushort Rows, ushort Columns)? WindowSize()
    {
        Libc.WindowSize size;
        for (int fd = 0; fd <= 2; fd++)
        {
            if (Libc.ioctl(fd, Libc.TIOCGWINSZ, &size) == 0 && size.Rows > 0 && size.Columns > 0)
                return (size.Rows, size.Columns);
        }
        return null;
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        Restore();
    }

    private void OnExit(object? sender, EventArgs arguments) => Restore();

    private void Restore()
    {
        if (!active)
            return;
        active = false;
        fixed (Libc.Termios* settings = &former)
            Libc.tcsetattr(0, Libc.TCSADRAIN, settings);
    }
}
