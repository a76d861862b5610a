using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Candela.Controller;

/// <summary>Work that nobody waits for, but the end of the daemon.</summary>
internal sealed partial class BackgroundTasks(ILogger<BackgroundTasks> logger)
{
    private readonly ConcurrentDictionary<Task, bool> _running = new();

    /// <summary>Starts work; a failure is logged.</summary>
    public void Run(string what, Func<Task> work)
    {
        var task = Task.Run(async () =>
        {
            try
            {
                await work();
            }
            catch (Exception e)
            {
                Log.Failed(logger, what, e);
            }
        });
        _running[task] = true;
        _ = task.ContinueWith(done => _running.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Starts work that goes on when the caller leaves.</summary>
    public async Task RunToEndAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var task = work();
        if (!task.IsCompleted)
        {
            _running[task] = true;
            _ = task.ContinueWith(done => _running.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        await task.WaitAsync(cancellationToken);
    }

    /// <summary>Waits for what runs, at most so long.</summary>
    public async Task DrainAsync(TimeSpan most)
    {
        try
        {
            await Task.WhenAll(_running.Keys).WaitAsync(most);
        }
        catch (TimeoutException)
        {
            Log.LeftBehind(logger, _running.Count);
        }
        catch (Exception)
        {
            // Told to its caller.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{What} failed")]
        public static partial void Failed(ILogger logger, string what, Exception reason);

        [LoggerMessage(2, LogLevel.Warning, "{Count} operations were under way when the daemon ended; the next start takes them up")]
        public static partial void LeftBehind(ILogger logger, int count);
    }
}
