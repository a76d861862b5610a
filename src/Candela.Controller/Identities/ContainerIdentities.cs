using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography;
using Candela.Controller.Containers;
using Candela.Controller.Storage;
using Candela.Guest.Protocol.Host;
using Candela.Identity.Workloads;
using Candela.Identity.Workloads.Api;
using Candela.Machine.Identities;
using Candela.Model;
using Microsoft.Extensions.Logging;

namespace Candela.Controller.Identities;

/// <summary>Gives the containers of this machine the identities that follow from their records.</summary>
internal sealed partial class ContainerIdentities : IContainerIdentities
{
    private static readonly byte[] Preface = "PRI * HTTP/2.0"u8.ToArray();
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly ContainerTable _table;
    private readonly TrustDomain _domain;
    private readonly WorkloadIdentities _workloads;
    private readonly AttestedConnections _connections;
    private readonly AttestedConnections _plainConnections;
    private readonly BackgroundTasks _background;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _reconciled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ContainerIdentities(
        ContainerTable table, ContainerLifecycle lifecycle, TrustDomain domain, AttestedConnections connections, AttestedConnections plainConnections, BackgroundTasks background, TimeProvider time, ILogger<ContainerIdentities> logger)
    {
        (_table, _domain, _workloads, _connections, _plainConnections, _background, _time, _logger) = (table, domain, domain.Workloads, connections, plainConnections, background, time, logger);
        lifecycle.Renamed += OnRenamed;
    }

    /// <summary>Ends what containers have left that went while no daemon ran. Nothing is given before.</summary>
    public async Task ReconcileAsync(CancellationToken cancellationToken)
    {
        await _workloads.ReconcileAsync(_table.List(null).Where(entry => entry.IsRunning).Select(entry => entry.Id).ToHashSet(StringComparer.Ordinal), cancellationToken);
        _reconciled.TrySetResult();
    }

    /// <inheritdoc/>
    public async Task GiveAsync(string container, CancellationToken cancellationToken)
    {
        await _reconciled.Task.WaitAsync(cancellationToken);
        if (await _workloads.AttachAsync(container, cancellationToken))
            return;
        var record = _table.Find(container)?.Record ?? throw new CandelaException(ErrorCode.NotFound, $"No such container: {container}");
        await _workloads.BeginAsync(SpecOf(record), cancellationToken);
    }

    /// <inheritdoc/>
    public async Task ServeAsync(string container, IDuplexPipe connection, CancellationToken cancellationToken)
    {
        var isHttp2 = await IsHttp2Async(connection.Input, cancellationToken);
        await (isHttp2 ? _connections : _plainConnections).ServeAsync(container, connection, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<(IReadOnlyList<GuestFile> Files, Task Changed)> ReadFilesAsync(string container, CancellationToken cancellationToken)
    {
        // Taken before reading: a change in between ends them.
        var bundles = _domain.BundlesChanged;
        var svid = await _workloads.GetAsync(container, cancellationToken);
        var changed = _workloads.WhenChanged(container);
        if (!ReferenceEquals(svid, await _workloads.GetAsync(container, cancellationToken)))
            changed = Task.CompletedTask;
        return (
            [
                new GuestFile("svid.pem", string.Concat(svid.Chain.Select(der => Pem("CERTIFICATE", der.Span))), IsSecret: false),
                new GuestFile("svid_key.pem", Pem("PRIVATE KEY", svid.PrivateKey.Span), IsSecret: true),
                new GuestFile("bundle.pem", string.Concat(_domain.Bundle.X509Authorities.Select(der => Pem("CERTIFICATE", der.Span))), IsSecret: false),
            ],
            Task.WhenAny(changed, bundles));
    }

    /// <inheritdoc/>
    public async Task WithdrawAsync(string container)
    {
        if (!await TryWithdrawAsync(container))
            _background.Run($"withdrawal of the identity of container {container}", () => WithdrawLaterAsync(container));
    }

    /// <summary>It begins as RFC 9113, section 3.4, says; nothing is consumed.</summary>
    private static async Task<bool> IsHttp2Async(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            var length = (int)Math.Min(read.Buffer.Length, Preface.Length);
            var begins = read.Buffer.Slice(0, length).ToArray().AsSpan().SequenceEqual(Preface.AsSpan(0, length));
            var isKnown = !begins || length == Preface.Length || read.IsCompleted;
            input.AdvanceTo(read.Buffer.Start, isKnown ? read.Buffer.Start : read.Buffer.End);
            if (isKnown)
                return begins;
        }
    }

    private static string Pem(string label, ReadOnlySpan<byte> der) => PemEncoding.WriteString(label, der) + "\n";

    private async Task WithdrawLaterAsync(string container)
    {
        do
            await Task.Delay(RetryInterval, _time);
        while (!await TryWithdrawAsync(container));
    }

    private async Task<bool> TryWithdrawAsync(string container)
    {
        try
        {
            await _workloads.EndAsync(container, CancellationToken.None);
            return true;
        }
        catch (Exception e)
        {
            Log.NotWithdrawn(_logger, container, e);
            return false;
        }
    }

    private void OnRenamed(Container record) => _background.Run($"new identity of container {record.Id}", async () =>
    {
        if (await _workloads.AttachAsync(record.Id, CancellationToken.None))
            await _workloads.RenameAsync(SpecOf(record), CancellationToken.None);
    });

    /// <summary>Names with a dot are left out: a container's name makes it nobody's host on the Internet.</summary>
    private static WorkloadSpec SpecOf(Container record)
    {
        IEnumerable<string> names = [record.Name, record.Spec.Hostname ?? record.Id[..12], .. record.Endpoints.SelectMany(endpoint => endpoint.Aliases)];
        return new WorkloadSpec
        {
            Container = record.Id,
            Tenant = ProjectTable.TenantOf(record.Project),
            Project = record.Project,
            Name = record.Name,
            DnsNames = [.. names.Where(name => !name.Contains('.', StringComparison.Ordinal)).Distinct()],
            Addresses = [.. record.Endpoints.SelectMany(endpoint => new[] { endpoint.Ipv4Address, endpoint.Ipv6Address }).OfType<string>().Select(IPAddress.Parse)],
        };
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The identity of container {Container} is not withdrawn yet; it is tried again")]
        public static partial void NotWithdrawn(ILogger logger, string container, Exception reason);
    }
}
