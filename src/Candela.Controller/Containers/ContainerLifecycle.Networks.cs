using Candela.Model;

namespace Candela.Controller.Containers;

/// <summary>Connections to networks: for a run, and changes while it goes on.</summary>
internal sealed partial class ContainerLifecycle
{
    /// <summary>Connects to one more network, at once when it runs.</summary>
    public Task ConnectNetworkAsync(ContainerEntry entry, NetworkAttachment attachment) => UnderGateAsync(entry, async () =>
    {
        CheckConnectable(entry);
        attachment = await networks.CheckAsync(entry.Record, attachment);
        if (!entry.IsRunning)
        {
            lock (entry.Sync)
                entry.Update(record => record with { Networks = [.. record.Networks, attachment] });
            await writer.SaveAsync(entry);
            return;
        }

        Container before = entry.Record;
        Container after = await networks.ConnectAsync(before, attachment);
        NetworkEndpoint added = after.Endpoints[^1];
        try
        {
            if (!await TakeOnAsync(entry, after))
                throw new CandelaException(ErrorCode.Conflict, $"container {entry.Id} has ended meanwhile");
            await machine.SetNetworkAsync(after, [], CancellationToken.None);
        }
        catch
        {
            await TakeOnAsync(entry, before);
            await networks.DisconnectAsync(before, [added]);
            throw;
        }

        UpdateGuests(entry.Record.Project);
    });

    /// <summary>Disconnects from a network, at once when it runs.</summary>
    /// <param name="entry">The container.</param>
    /// <param name="network">Name of the network.</param>
    /// <param name="force">Also when its guest does not follow.</param>
    public Task DisconnectNetworkAsync(ContainerEntry entry, string network, bool force) => UnderGateAsync(entry, async () =>
    {
        Container before = entry.Record;
        if (before.Networks.All(n => n.Network != network))
            throw new CandelaException(ErrorCode.PermissionDenied, $"container {before.Id} is not connected to network {network}");
        NetworkEndpoint? removed = before.Endpoints.FirstOrDefault(e => e.NetworkName == network);
        NetworkEndpoint[] kept = [.. before.Endpoints.Where(e => e != removed)];
        Container after = before with
        {
            Networks = [.. before.Networks.Where(n => n.Network != network)],
            Endpoints = kept,
            Published = NetworkEndpoint.WayOut(kept) is null ? [] : before.Published,
        };
        if (!await TakeOnAsync(entry, after) || removed is null)
            return;
        try
        {
            await machine.SetNetworkAsync(after, [removed], CancellationToken.None);
        }
        catch (CandelaException) when (!force)
        {
            await TakeOnAsync(entry, before);
            throw;
        }

        await networks.DisconnectAsync(after, [removed]);
    });

    /// <summary>Gives a fork, before it runs, addresses of its own.</summary>
    public Task ConnectForkAsync(ContainerEntry entry, Container source) => ConnectAsync(entry, source);

    /// <summary>Takes the addresses of a fork back that did not come to run.</summary>
    public void DisconnectFork(ContainerEntry entry) => Disconnect(entry);

    /// <summary>Sees to it that a container of an earlier daemon has the connections of its record, where a change was under way.</summary>
    public void ResumeNetworks(ContainerEntry entry)
    {
        Container record = entry.Record;
        if (record.Networks.Count > 0 && entry.Status.State == ContainerState.Running)
            background.Run($"the networks of container {entry.Id}", () => machine.SetNetworkAsync(record, [], CancellationToken.None));
    }

    /// <summary>Tells containers of a project the addresses of those they are linked to and the routes of their networks, where these are no longer what they know.</summary>
    public void UpdateGuests(string project) => background.Run($"addresses and routes of project {project}", async () =>
    {
        foreach (Container outdated in await networks.OutdatedAsync(project))
        {
            if (table.Find(outdated.Id) is { } entry)
                background.Run($"addresses and routes for container {entry.Id}", () => UpdateGuestAsync(entry, outdated));
        }
    });

    // Once it has started, if it is about to; its connections may have come and gone meanwhile.
    private Task UpdateGuestAsync(ContainerEntry entry, Container outdated) => UnderGateAsync(entry, async () =>
    {
        NetworkEndpoint[] news = [.. outdated.Endpoints.Where(o => entry.Record.Endpoints.Any(e => e.PortId == o.PortId && !e.KnowsTheSameAs(o)))];
        if (!entry.IsRunning || news.Length == 0)
            return;
        lock (entry.Sync)
            entry.Update(record => record with { Endpoints = [.. record.Endpoints.Select(e => news.FirstOrDefault(o => o.PortId == e.PortId) ?? e)] });
        await writer.SaveAsync(entry);
        await machine.SetNetworkAsync(entry.Record, [], CancellationToken.None);
    });

    // Written before the machine acts: after an end of the daemon the record says which addresses are taken.
    private async Task ConnectAsync(ContainerEntry entry, Container? source)
    {
        if (entry.Record.Networks.Count == 0)
            return;
        Container connected = await networks.ConnectAsync(entry.Record, source);
        lock (entry.Sync)
            entry.Update(record => record with { Endpoints = connected.Endpoints, Published = connected.Published });
        await writer.SaveAsync(entry);
        UpdateGuests(connected.Project);
    }

    private void Disconnect(ContainerEntry entry)
    {
        Container connected = entry.Record;
        if (connected.Endpoints.Count == 0)
            return;
        lock (entry.Sync)
            entry.Update(record => record with { Endpoints = [], Published = [] });
        // Begun at once: a restart that follows waits for it.
        Task disconnecting = networks.DisconnectAsync(entry.Record, connected.Endpoints);
        background.Run($"disconnecting container {entry.Id}", () => disconnecting);
    }

    // False when it has ended meanwhile: its connections have been taken back then.
    private async Task<bool> TakeOnAsync(ContainerEntry entry, Container changed)
    {
        lock (entry.Sync)
        {
            bool runs = entry.IsRunning || entry.Record.Endpoints.Count > 0;
            entry.Update(record => record with
            {
                Networks = changed.Networks,
                Endpoints = runs ? changed.Endpoints : record.Endpoints,
                Published = runs ? changed.Published : record.Published,
            });
            if (!runs && changed.Endpoints.Count > 0)
                return false;
        }

        await writer.SaveAsync(entry);
        return true;
    }

    private static void CheckConnectable(ContainerEntry entry)
    {
        if (entry.Status.State is ContainerState.Removing or ContainerState.Dead)
            throw new CandelaException(ErrorCode.Conflict, $"container {entry.Id} is marked for removal and cannot be connected or disconnected to the network");
        if (entry.Status.State == ContainerState.Restarting)
            throw new CandelaException(ErrorCode.Conflict, $"container {entry.Id} is about to restart: try again in a moment");
    }
}
