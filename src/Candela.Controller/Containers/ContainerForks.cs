using Candela.Controller.Events;
using Candela.Controller.Storage;
using Candela.Machine;
using Candela.Model;
using Microsoft.Extensions.Logging;

namespace Candela.Controller.Containers;

/// <summary>
/// Forks of running containers. Their records are made first, all in one transaction, as Created; what a daemon's end leaves of
/// them in that state is removed by the next one.
/// </summary>
internal sealed partial class ContainerForks(
    ControllerOptions options,
    ContainerTable table,
    ContainerCreation creation,
    ContainerLifecycle lifecycle,
    StateWriter writer,
    EventLog events,
    IMachine machine,
    TimeProvider time,
    ILogger<ContainerForks> logger)
{
    /// <summary>Forks; on a failure nothing is left.</summary>
    public async Task<ForkReport> ForkAsync(ContainerEntry source, int count, IReadOnlyList<string>? names)
    {
        if (count < 1 || count > options.ForkCount)
            throw new CandelaException(ErrorCode.InvalidArgument, $"the number of forks is from 1 to {options.ForkCount}");
        if (names is not null && names.Count != count)
            throw new CandelaException(ErrorCode.InvalidArgument, $"{count} names are needed for {count} forks, {names.Count} are given");
        string[]? checkedNames = names is null ? null : [.. names.Select(ContainerNames.Check)];
        creation.CheckCount(count);
        await source.Gate.WaitAsync();
        try
        {
            if (source.IsGone)
                throw new CandelaException(ErrorCode.NotFound, $"No such container: {source.Id}");
            if (source.Status.State != ContainerState.Running)
            {
                throw new CandelaException(ErrorCode.Conflict, source.Status.State == ContainerState.Paused
                    ? $"container {source.Id} is paused: unpause it first"
                    : $"container {source.Id} is not running");
            }

            return await ForkRunningAsync(source, Hold(source.Record, count, checkedNames));
        }
        finally
        {
            source.Gate.Release();
        }
    }

    private async Task<ForkReport> ForkRunningAsync(ContainerEntry source, List<ContainerEntry> forks)
    {
        try
        {
            await writer.CreateAsync(forks);
        }
        catch
        {
            ReleaseNames(forks);
            throw;
        }

        // Nobody else gets at the forks before they run or are gone again.
        foreach (var fork in forks)
        {
            await fork.Gate.WaitAsync();
            fork.IsStarting = true;
            events.AddContainer(fork.Record, "create", ("forkedFrom", source.Id));
            table.Publish(fork);
        }

        try
        {
            foreach (var fork in forks)
                await lifecycle.ConnectForkAsync(fork, source.Record);
            var outcome = await machine.ForkAsync(source.Id, [.. forks.Select(static fork => fork.Record)], CancellationToken.None);
            events.AddContainer(source.Record, "fork", ("forks", forks.Count.Text()));
            foreach (var (fork, started) in forks.Zip(outcome.Forks))
                lifecycle.RecordForkStart(fork, started);
            return new ForkReport([.. forks.Select(static fork => fork.Record)], outcome.SourcePause.TotalMilliseconds, outcome.Stages);
        }
        catch (Exception e)
        {
            Log.ForkFailed(logger, source.Id, e);
            foreach (var fork in forks)
            {
                fork.IsStarting = false;
                lifecycle.DisconnectFork(fork);
                await lifecycle.TryRemoveAsync(fork);
            }

            throw e as CandelaException ?? new CandelaException(ErrorCode.Internal, $"container {source.Id} could not be forked: {e.Message}", e);
        }
        finally
        {
            foreach (var fork in forks)
                fork.Gate.Release();
        }
    }

    /// <summary>Entries that hold their names: given ones, or NAME-1, NAME-2 … as far as they are free.</summary>
    private List<ContainerEntry> Hold(Container source, int count, string[]? names)
    {
        var forks = new List<ContainerEntry>();
        try
        {
            var number = 0;
            for (var i = 0; i < count; i++)
            {
                if (names is not null)
                {
                    var fork = NewEntry(source, names[i]);
                    table.Reserve(fork, names[i]);
                    forks.Add(fork);
                    continue;
                }

                ContainerEntry made;
                do
                {
                    var suffix = "-" + (++number).Text();
                    var stem = source.Name.Length + suffix.Length <= Limits.NameLength ? source.Name : source.Name[..(Limits.NameLength - suffix.Length)];
                    made = NewEntry(source, stem + suffix);
                }
                while (table.TryReserve(made, made.Record.Name) is not null);
                forks.Add(made);
            }

            return forks;
        }
        catch
        {
            ReleaseNames(forks);
            throw;
        }
    }

    private ContainerEntry NewEntry(Container source, string name) => new(source with
    {
        Id = ContainerCreation.NewId(),
        Name = name,
        CreatedAt = time.GetUtcNow(),
        Status = new ContainerStatus(),
        // Addresses of its own; the original's ports and chosen address stay the original's.
        Endpoints = [],
        Published = [],
        Networks = [.. source.Networks.Select(static n => n with { Ipv4Address = null, Ipv6Address = null, MacAddress = null })],
        Spec = source.Spec with { PublishedPorts = [], PublishAllPorts = false },
        ForkedFrom = source.Id,
        Revision = 1,
    });

    private void ReleaseNames(IEnumerable<ContainerEntry> forks)
    {
        foreach (var fork in forks)
            table.Release(fork, fork.Record.Name);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Container {Id} could not be forked")]
        public static partial void ForkFailed(ILogger logger, string id, Exception reason);
    }
}
