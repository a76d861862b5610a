using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Kerberos.Kdc;

/// <summary>
/// Keeps krb5kdc(8) running: starts it again when it ends, ends it when this process ends, however that happens. One thread does all of it, for
/// the kernel ends the child with the thread that started it (PR_SET_PDEATHSIG).
/// </summary>
internal sealed partial class KdcProcess : IDisposable
{
    private static readonly TimeSpan RetryFirst = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RetryLast = TimeSpan.FromSeconds(5);

    /// <summary>A process that lived so long was no failed start.</summary>
    private static readonly TimeSpan Stable = TimeSpan.FromSeconds(10);

    private readonly Func<ProcessStartInfo> _command;
    private readonly Action<string> _onLine;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly AutoResetEvent _changed = new(false);
    private readonly Thread _thread;
    private Process? _process;
    private bool _isWanted;
    private bool _isClosing;

    /// <param name="command">How it is started.</param>
    /// <param name="onLine">Takes the lines of its log.</param>
    /// <param name="logger">Log.</param>
    public KdcProcess(Func<ProcessStartInfo> command, Action<string> onLine, ILogger logger)
    {
        _command = command;
        _onLine = onLine;
        _logger = logger;
        _thread = new Thread(Run) { IsBackground = true, Name = "krb5kdc" };
        _thread.Start();
    }

    /// <summary>Id of the process; null: there is none now.</summary>
    public int? Id
    {
        get
        {
            lock (_gate)
                return _process?.Id;
        }
    }

    /// <summary>It is to run, or not.</summary>
    public void Want(bool isWanted)
    {
        lock (_gate)
        {
            if (_isWanted == isWanted)
                return;
            _isWanted = isWanted;
            if (!isWanted)
                _process?.Kill();
        }

        _changed.Set();
    }

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isClosing)
                return;
            _isClosing = true;
            _process?.Kill();
        }

        _changed.Set();
        _thread.Join();
        _changed.Dispose();
    }

    private void Run()
    {
        var wait = RetryFirst;
        while (true)
        {
            bool isWanted;
            lock (_gate)
            {
                if (_isClosing)
                    return;
                isWanted = _isWanted;
            }

            if (!isWanted)
            {
                _changed.WaitOne();
                continue;
            }

            var started = Stopwatch.GetTimestamp();
            try
            {
                RunOnce();
            }
            catch (Exception e)
            {
                Log.NotStarted(_logger, e);
            }

            wait = Stopwatch.GetElapsedTime(started) >= Stable ? RetryFirst : wait;
            if (_changed.WaitOne(wait))
                continue;
            wait = wait * 2 < RetryLast ? wait * 2 : RetryLast;
        }
    }

    private void RunOnce()
    {
        using var process = new Process { StartInfo = _command() };
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null)
                _onLine(line.Data);
        };
        lock (_gate)
        {
            if (!_isWanted || _isClosing)
                return;
            process.Start();
            _process = process;
        }

        process.StandardInput.Close();
        process.BeginErrorReadLine();
        process.WaitForExit();
        bool isWanted;
        lock (_gate)
        {
            _process = null;
            isWanted = _isWanted && !_isClosing;
        }

        if (isWanted)
            Log.Ended(_logger, process.ExitCode);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The KDC ended with exit code {ExitCode}; it is started again")]
        public static partial void Ended(ILogger logger, int exitCode);

        [LoggerMessage(2, LogLevel.Error, "The KDC cannot be started; it is tried again")]
        public static partial void NotStarted(ILogger logger, Exception reason);
    }
}
