using System.Collections.Frozen;
using System.Globalization;
using Candela.Model;

namespace Candela.Controller.Containers;

/// <summary>Signals of Linux on x86-64 (signal(7)) by name or number.</summary>
internal static class SignalNumbers
{
    public const int Kill = 9;
    public const int Terminate = 15;
    private const int RealTimeFirst = 34;
    private const int RealTimeLast = 64;

    private static readonly FrozenDictionary<string, int> Numbers = new Dictionary<string, int>
    {
        ["HUP"] = 1, ["INT"] = 2, ["QUIT"] = 3, ["ILL"] = 4, ["TRAP"] = 5, ["ABRT"] = 6, ["IOT"] = 6, ["BUS"] = 7, ["FPE"] = 8, ["KILL"] = Kill,
        ["USR1"] = 10, ["SEGV"] = 11, ["USR2"] = 12, ["PIPE"] = 13, ["ALRM"] = 14, ["TERM"] = Terminate, ["STKFLT"] = 16, ["CHLD"] = 17,
        ["CLD"] = 17, ["CONT"] = 18, ["STOP"] = 19, ["TSTP"] = 20, ["TTIN"] = 21, ["TTOU"] = 22, ["URG"] = 23, ["XCPU"] = 24, ["XFSZ"] = 25,
        ["VTALRM"] = 26, ["PROF"] = 27, ["WINCH"] = 28, ["IO"] = 29, ["POLL"] = 29, ["PWR"] = 30, ["SYS"] = 31,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Number of <c>TERM</c>, <c>SIGTERM</c>, <c>RTMIN+3</c> or <c>15</c>.</summary>
    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public static int Parse(string signal)
    {
        var name = signal.StartsWith("SIG", StringComparison.OrdinalIgnoreCase) ? signal[3..] : signal;
        if (Numbers.TryGetValue(name, out var number))
            return number;
        if (!int.TryParse(signal, NumberStyles.None, CultureInfo.InvariantCulture, out number) && !TryRealTime(name, out number))
            number = 0;
        return number is >= 1 and <= RealTimeLast ? number : throw new CandelaException(ErrorCode.InvalidArgument, $"invalid signal: {signal}");
    }

    private static bool TryRealTime(string name, out int number)
    {
        number = 0;
        var (origin, sign) = name.StartsWith("RTMIN", StringComparison.OrdinalIgnoreCase) ? (RealTimeFirst, '+')
            : name.StartsWith("RTMAX", StringComparison.OrdinalIgnoreCase) ? (RealTimeLast, '-')
            : (0, ' ');
        if (origin == 0)
            return false;
        var offset = 0;
        var rest = name.AsSpan("RTMIN".Length);
        if (!rest.IsEmpty && !(rest[0] == sign && int.TryParse(rest[1..], NumberStyles.None, CultureInfo.InvariantCulture, out offset)))
            return false;
        if (offset > RealTimeLast - RealTimeFirst)
            return false;
        number = sign == '+' ? origin + offset : origin - offset;
        return true;
    }
}
