using Candela.Model;

namespace Candela.Machine.Logs;

/// <summary>How much of a log is kept.</summary>
/// <param name="Keeps">Anything at all.</param>
/// <param name="FileBytes">Size at which a new file is begun; 0: never.</param>
/// <param name="FileCount">Files, the present one included.</param>
internal readonly record struct LogLimits(bool Keeps, long FileBytes, int FileCount)
{
    /// <summary>Everything.</summary>
    public static LogLimits None => new(Keeps: true, 0, 1);

    /// <summary>What a container asks for.</summary>
    public static LogLimits Of(LogConfiguration configuration) =>
        new(configuration.Driver != LogDriver.None, configuration.MaxSizeBytes, Math.Max(configuration.MaxFiles, 1));
}
