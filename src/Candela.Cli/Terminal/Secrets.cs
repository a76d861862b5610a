using System.Text;
using Candela.Cli.CommandLine;

namespace Candela.Cli.Terminal;

/// <summary>Passwords and codes: asked for on a terminal without echo, else a line of standard input each. Never from the command line, which others can read.</summary>
internal static class Secrets
{
    private const int LengthBytes = 1024;
    private const byte CarriageReturn = 0x0d;
    private const byte LineFeed = 0x0a;
    private const byte Interrupt = 0x03;
    private const byte EndOfTransmission = 0x04;
    private const byte Backspace = 0x08;
    private const byte Erase = 0x7f;

    /// <summary>Asks for one.</summary>
    /// <param name="prompt">For example <c>New password</c>.</param>
    public static string Read(string prompt)
    {
        bool terminal = StandardStream.Input.IsTerminal;
        if (!terminal)
            return ReadLine();
        StandardStream.Error.Write(Encoding.UTF8.GetBytes(prompt + ": "));
        using (RawMode.Enter())
        {
            try
            {
                return ReadLine();
            }
            finally
            {
                StandardStream.Error.Write("\r\n"u8);
            }
        }
    }

    /// <summary>Asks for a new password; on a terminal twice.</summary>
    public static string ReadNew(string prompt)
    {
        string password = Read(prompt);
        if (StandardStream.Input.IsTerminal && Read("Again") != password)
            throw new InvalidOperationException("the two are not the same: nothing was changed");
        return password;
    }

    private static string ReadLine()
    {
        var line = new List<byte>();
        Span<byte> one = stackalloc byte[1];
        while (StandardStream.Input.Read(one) == 1 && one[0] is not (CarriageReturn or LineFeed or EndOfTransmission))
        {
            if (one[0] == Interrupt)
                throw new InvalidOperationException("interrupted: nothing was changed");
            if (one[0] is not (Backspace or Erase))
                line.Add(one[0]);
            else if (line.Count > 0)
                line.RemoveAt(line.Count - 1);
            if (line.Count > LengthBytes)
                throw new UsageException($"more than {LengthBytes} bytes");
        }
        return line.Count > 0 ? Encoding.UTF8.GetString([.. line]) : throw new UsageException("nothing was given: type it, or pipe it to standard input");
    }
}
