using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Following;

/// <summary>Keeps something in memory that is in the state store: follows the store's watch, reads all again when the history is gone, and tries again when the store fails.</summary>
internal sealed partial class StateFollower(
    IStateStore store, string prefix, Func<CancellationToken, Task<long>> read, Func<StateChange, CancellationToken, ValueTask> apply, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan RetryFirst = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RetryLast = TimeSpan.FromSeconds(2);

    /// <summary>Reads all; gives the revision to follow from.</summary>
    public Task<long> ReadAsync(CancellationToken cancellationToken) => read(cancellationToken);

    /// <summary>Follows until cancelled.</summary>
    /// <param name="revision">Revision of the store that is in memory already.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(long revision, CancellationToken cancellationToken)
    {
        var wait = RetryFirst;
        var isBehind = false;
        while (true)
        {
            try
            {
                revision = isBehind ? await read(cancellationToken) : revision;
                isBehind = false;
                await foreach (var change in store.WatchAsync(prefix, revision + 1, cancellationToken))
                {
                    await apply(change, cancellationToken);
                    // The revision before: several changes can be of one.
                    revision = Math.Max(revision, change.Revision - 1);
                    wait = RetryFirst;
                }
            }
            catch (StateCompactedException)
            {
                isBehind = true;
            }
            catch (Exception e) when (e is not (OperationCanceledException or ObjectDisposedException))
            {
                Log.Failed(logger, prefix, wait.TotalMilliseconds, e);
                await Task.Delay(wait, time, cancellationToken);
                wait = wait * 2 < RetryLast ? wait * 2 : RetryLast;
                isBehind = true;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Following {Prefix} in the state store failed; read again in {WaitMs} ms")]
        public static partial void Failed(ILogger logger, string prefix, double waitMs, Exception reason);
    }
}
