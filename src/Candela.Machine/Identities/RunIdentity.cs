using System.IO.Pipelines;
using Candela.Guest.Protocol.Host;
using Candela.Model;
using Microsoft.Extensions.Logging;

namespace Candela.Machine.Identities;

/// <summary>
/// The workload identity of one run: given when the container first asks, so that a start costs nothing, and withdrawn at its end, in this order
/// whatever happens at once.
/// </summary>
/// <param name="identities">Who gives it; null: nobody, and connections are closed.</param>
/// <param name="container">Id of the container.</param>
/// <param name="wasAdopted">The run is an earlier daemon's, which may have given it already.</param>
/// <param name="logger">Log.</param>
internal sealed partial class RunIdentity(IContainerIdentities? identities, string container, bool wasAdopted, ILogger logger)
{
    /// <summary>A container with this label finds the files of its identity in the folder that it names.</summary>
    public const string FilesLabel = "candela.identity.files";

    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(2);

    private readonly Lock _sync = new();
    private readonly TaskCompletionSource _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _last = Task.CompletedTask;
    private Task _changed = Task.CompletedTask;
    private bool _isGiven = wasAdopted;

    /// <summary>Serves a connection in the background.</summary>
    public void Serve(IDuplexPipe connection) => _ = ServeAsync(connection);

    /// <summary>Gives the identity, if it is not given yet. False: there is none to be had, or the run has ended.</summary>
    /// <exception cref="CandelaException">It cannot be given now.</exception>
    public async Task<bool> GiveAsync()
    {
        if (identities is null)
            return false;
        Task giving;
        lock (_sync)
        {
            if (_ending.Task.IsCompleted)
                return false;
            // Also when it fails: it may be given all the same.
            _isGiven = true;
            _last = giving = AfterAsync(_last, () => identities.GiveAsync(container, CancellationToken.None));
        }

        await giving;
        return true;
    }

    /// <summary>The files of the identity, which is given for that.</summary>
    /// <exception cref="CandelaException">It cannot be given now, or nobody gives identities here.</exception>
    public async Task<IReadOnlyList<GuestFile>> ReadFilesAsync(CancellationToken cancellationToken)
    {
        if (!await GiveAsync())
            throw new CandelaException(ErrorCode.NotSupported, $"containers have no identity here: start it without the label {FilesLabel}");
        (IReadOnlyList<GuestFile> files, _changed) = await identities!.ReadFilesAsync(container, cancellationToken);
        return files;
    }

    /// <summary>Gives the guest new files whenever there are any, until the run ends. The first ones too, unless it has them.</summary>
    public async Task KeepFilesAsync(Func<IAgent> agent, TimeProvider time)
    {
        while (!_ending.Task.IsCompleted)
        {
            try
            {
                await Task.WhenAny(_changed, _ending.Task);
                if (!_ending.Task.IsCompleted)
                    await agent().SetIdentityFilesAsync(await ReadFilesAsync(CancellationToken.None), CancellationToken.None);
            }
            catch (Exception e)
            {
                if (_ending.Task.IsCompleted)
                    return;
                Log.FilesNotRenewed(logger, container, e.Message);
                _changed = Task.CompletedTask;
                await Task.WhenAny(Task.Delay(RetryInterval, time), _ending.Task);
            }
        }
    }

    /// <summary>Withdraws it: nobody gets it any more, and what was given is revoked when this returns.</summary>
    public Task EndAsync()
    {
        lock (_sync)
        {
            if (_ending.TrySetResult() && _isGiven && identities is not null)
                _last = AfterAsync(_last, () => identities.WithdrawAsync(container));
            return _last.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private static async Task AfterAsync(Task former, Func<Task> next)
    {
        await former.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await next();
    }

    private async Task ServeAsync(IDuplexPipe connection)
    {
        try
        {
            if (await GiveAsync())
            {
                using var breaking = new CancellationTokenSource();
                Task serving = identities!.ServeAsync(container, connection, breaking.Token);
                if (await Task.WhenAny(serving, _ending.Task) != serving)
                    await breaking.CancelAsync();
                await serving;
                return;
            }
        }
        catch (Exception e)
        {
            if (!_ending.Task.IsCompleted)
                Log.NotServed(logger, container, e);
        }

        await connection.Input.CompleteAsync();
        await connection.Output.CompleteAsync();
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "container {Container}: the files of its identity are not renewed yet; it is tried again: {Reason}")]
        public static partial void FilesNotRenewed(ILogger logger, string container, string reason);

        [LoggerMessage(Level = LogLevel.Warning, Message = "container {Container} asked for its identity and got none")]
        public static partial void NotServed(ILogger logger, string container, Exception reason);
    }
}
