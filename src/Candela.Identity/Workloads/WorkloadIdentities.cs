using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Certificates.Requests;
using Candela.Identity.Certificates.Revocation;
using Candela.Model;
using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Workloads;

/// <summary>
/// The live workloads and their X.509-SVIDs: one is given when a container is cloned or forked, renewed at half its time, and revoked when
/// the container ends. Private keys are in memory only: after a restart of the controller a workload gets a new one. Safe for use from many
/// threads.
/// </summary>
public sealed partial class WorkloadIdentities : IAsyncDisposable
{
    private const int ContainerLength = 128;
    private static readonly TimeSpan RotationInterval = TimeSpan.FromSeconds(5);

    private readonly IStateStore _store;
    private readonly CertificateAuthority _authority;
    private readonly WorkloadOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, HeldWorkload> _held = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _rotating;

    /// <param name="store">State store.</param>
    /// <param name="authority">Issues the certificates.</param>
    /// <param name="options">Settings.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Log.</param>
    public WorkloadIdentities(IStateStore store, CertificateAuthority authority, WorkloadOptions options, TimeProvider time, ILogger<WorkloadIdentities> logger)
    {
        options.Check();
        (_store, _authority, _options, _time, _logger) = (store, authority, options, time, logger);
        _rotating = RotateForEverAsync();
    }

    /// <summary>Gives a new container its identity and its first X.509-SVID.</summary>
    /// <exception cref="CandelaException">
    /// InvalidArgument: a name cannot be part of an identity. AlreadyExists: the container has one, or a live container has this identity.
    /// </exception>
    public async Task<X509Svid> BeginAsync(WorkloadSpec spec, CancellationToken cancellationToken)
    {
        CheckContainer(spec.Container);
        var id = SpiffeId.OfContainer(_authority.TrustDomain, spec.Tenant, spec.Project, spec.Name);
        var names = NamesOf(spec);
        var document = new WorkloadDocument
        {
            Container = spec.Container,
            Id = id.ToString(),
            DnsNames = names.Dns,
            Addresses = [.. names.Addresses.Select(a => a.ToString())],
            BeganAt = _time.GetUtcNow(),
            Certificates = [],
        };
        var transaction = new StateTransaction()
            .Expect(WorkloadKeys.Workload(spec.Container), 0)
            .Expect(WorkloadKeys.Identity(id), 0)
            .Put(WorkloadKeys.Identity(id), Encoding.UTF8.GetBytes(spec.Container));
        var workload = new HeldWorkload(document, id);
        var result = await IssueAsync(workload, document, transaction, cancellationToken);
        if (!result.Succeeded)
            throw new CandelaException(ErrorCode.AlreadyExists, $"{id} is the identity of a live container, or container {spec.Container} has one: end that first");
        _held[spec.Container] = workload;
        return workload.Svid!;
    }

    /// <summary>
    /// Takes on a container that runs already, after the controller has restarted or the container has come to its machines. A new SVID is
    /// issued when it is asked for.
    /// </summary>
    /// <returns>False: the container has no identity, since it has ended.</returns>
    public async Task<bool> AttachAsync(string container, CancellationToken cancellationToken)
    {
        CheckContainer(container);
        if (_held.ContainsKey(container))
            return true;
        if (await ReadAsync(container, cancellationToken) is not var (document, revision))
            return false;
        var workload = new HeldWorkload(document, SpiffeId.Parse(document.Id));
        workload.Set(document, revision, null, DateTimeOffset.MinValue);
        _held.TryAdd(container, workload);
        return true;
    }

    /// <summary>The current SVID of a container that runs here.</summary>
    /// <exception cref="CandelaException">NotFound: the container has no identity, or none here.</exception>
    public async Task<X509Svid> GetAsync(string container, CancellationToken cancellationToken) => await CurrentAsync(Held(container), cancellationToken);

    /// <summary>The identity of a container that runs here.</summary>
    /// <exception cref="CandelaException">NotFound: the container has no identity, or none here.</exception>
    public SpiffeId IdOf(string container) => Held(container).Id;

    /// <summary>Ends when a container's SVID has changed, or its identity has been withdrawn, since this was read.</summary>
    /// <exception cref="CandelaException">NotFound: the container has no identity, or none here.</exception>
    public Task WhenChanged(string container) => Held(container).Changed;

    /// <summary>Gives a container another name, and with it another identity; the SVIDs of the former one are revoked.</summary>
    /// <exception cref="CandelaException">NotFound, InvalidArgument, or AlreadyExists: a live container has this identity.</exception>
    public async Task<X509Svid> RenameAsync(WorkloadSpec spec, CancellationToken cancellationToken)
    {
        var former = Held(spec.Container);
        if (SpiffeId.OfContainer(_authority.TrustDomain, spec.Tenant, spec.Project, spec.Name) is var id && id == former.Id)
            return await CurrentAsync(former, cancellationToken);
        if (await _store.GetAsync(WorkloadKeys.Identity(id), cancellationToken) is not null)
            throw new CandelaException(ErrorCode.AlreadyExists, $"{id} is the identity of a live container");
        await EndAsync(spec.Container, RevocationReason.AffiliationChanged, cancellationToken);
        return await BeginAsync(spec, cancellationToken);
    }

    /// <summary>Withdraws a container's identity: its SVIDs are revoked, its JWT-SVIDs are refused, its streams end. Does nothing when it has none.</summary>
    public Task EndAsync(string container, CancellationToken cancellationToken) => EndAsync(container, RevocationReason.CessationOfOperation, cancellationToken);

    /// <summary>Ends every workload whose container is not among the given ones: those that went while no controller ran.</summary>
    public async Task ReconcileAsync(IReadOnlySet<string> containers, CancellationToken cancellationToken)
    {
        string? after = null;
        do
        {
            var page = await _store.RangeAsync(WorkloadKeys.Live, after, StateLimits.PageCount, cancellationToken);
            foreach (var entry in page.Entries)
            {
                if (entry.Key[WorkloadKeys.Live.Length..] is var container && !containers.Contains(container))
                    await EndAsync(container, cancellationToken);
            }

            after = page.Next;
        }
        while (after is not null);
    }

    /// <summary>
    /// Says whether a certificate that a peer has shown, and whose key it has proved to hold, is the X.509-SVID of a workload that lives.
    /// </summary>
    /// <exception cref="CandelaException">Unauthenticated: it is not.</exception>
    public async Task<SpiffeId> VerifyAsync(ReadOnlyMemory<byte> presented, CancellationToken cancellationToken)
    {
        var record = await _authority.VerifyAsync(presented, CertificateProfile.Workload, cancellationToken);
        var container = record.Owner[OwnerPrefix.Length..];
        if (await ReadAsync(container, cancellationToken) is not var (document, _) || !record.Names.Contains(document.Id))
            throw new CandelaException(ErrorCode.Unauthenticated, $"container {container} has ended, and its identity with it");
        return SpiffeId.Parse(document.Id);
    }

    /// <summary>Ends what runs in the background; identities stay.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _rotating.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }

    private const string OwnerPrefix = "container:";

    /// <summary>A workload that is held here; null: it is not, or has ended.</summary>
    internal HeldWorkload? FindHeld(string container) => _held.GetValueOrDefault(container);

    /// <summary>The document of a live workload, wherever it runs; null: it does not live.</summary>
    internal async Task<(WorkloadDocument Document, long Revision)?> ReadAsync(string container, CancellationToken cancellationToken) =>
        await _store.GetAsync(WorkloadKeys.Workload(container), cancellationToken) is { } entry
            ? (JsonSerializer.Deserialize(entry.Value.Span, WorkloadJson.Default.WorkloadDocument)!, entry.Revision)
            : null;

    /// <summary>The current SVID; issued anew when there is none, or half its time is over.</summary>
    internal async Task<X509Svid> CurrentAsync(HeldWorkload workload, CancellationToken cancellationToken)
    {
        if (workload.Svid is { } svid && _time.GetUtcNow() < workload.RotateAt)
            return svid;
        await workload.Gate.WaitAsync(cancellationToken);
        try
        {
            while (true)
            {
                if (workload.HasEnded)
                    throw HasNone(workload.Document.Container);
                if (workload.Svid is { } current && _time.GetUtcNow() < workload.RotateAt)
                    return current;
                var key = WorkloadKeys.Workload(workload.Document.Container);
                if ((await IssueAsync(workload, workload.Document, new StateTransaction().Expect(key, workload.Revision), cancellationToken)).Succeeded)
                    return workload.Svid!;
                // Changed by another controller: ended, or taken on there.
                if (await ReadAsync(workload.Document.Container, cancellationToken) is var (document, revision))
                    workload.Set(document, revision, null, DateTimeOffset.MinValue);
                else
                    Forget(workload);
            }
        }
        finally
        {
            workload.Gate.Release();
        }
    }

    private async Task EndAsync(string container, RevocationReason reason, CancellationToken cancellationToken)
    {
        var held = FindHeld(container);
        if (held is not null)
            await held.Gate.WaitAsync(cancellationToken);
        try
        {
            while (await ReadAsync(container, cancellationToken) is var (document, revision))
            {
                var transaction = new StateTransaction()
                    .Expect(WorkloadKeys.Workload(container), revision)
                    .Delete(WorkloadKeys.Workload(container))
                    .Delete(WorkloadKeys.Identity(SpiffeId.Parse(document.Id)));
                if (await _authority.Records.CommitRevocationsAsync(transaction, document.Certificates, reason, cancellationToken))
                    break;
            }

            if (held is not null)
                Forget(held);
        }
        finally
        {
            held?.Gate.Release();
        }
    }

    private void Forget(HeldWorkload workload)
    {
        workload.End();
        _held.TryRemove(new KeyValuePair<string, HeldWorkload>(workload.Document.Container, workload));
    }

    /// <summary>Issues an SVID and commits it together with the workload's document; sets both when that succeeds.</summary>
    private async Task<CommitResult> IssueAsync(HeldWorkload workload, WorkloadDocument document, StateTransaction transaction, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var order = new CertificateOrder
        {
            Profile = CertificateProfile.Workload,
            Owner = OwnerPrefix + document.Container,
            Names = new CertificateNames { Dns = document.DnsNames, Addresses = [.. document.Addresses.Select(IPAddress.Parse)], Uris = [document.Id] },
            Lifetime = _options.X509Lifetime,
        };
        var certificate = _authority.Make(order, new PublicKeyInfo(CertificateKeyType.EcdsaP256, key.ExportSubjectPublicKeyInfo()));
        document = document with
        {
            Certificates = HeldCertificate.With(document.Certificates, certificate, now),
        };
        CertificateRecords.Add(transaction, certificate);
        transaction.Put(WorkloadKeys.Workload(document.Container), JsonSerializer.SerializeToUtf8Bytes(document, WorkloadJson.Default.WorkloadDocument));
        var result = await _store.CommitAsync(transaction, cancellationToken);
        if (!result.Succeeded)
            return result;
        var svid = new X509Svid
        {
            Id = workload.Id,
            Chain = [certificate.Der, .. certificate.Chain],
            PrivateKey = key.ExportPkcs8PrivateKey(),
            Serial = certificate.Serial,
            IssuedAt = now,
            NotAfter = certificate.NotAfter,
        };
        // At half its time; those that began together do not renew together.
        var half = (certificate.NotAfter - now) / 2;
        workload.Set(document, result.Revision, svid, now + half - half * (Random.Shared.NextDouble() / 10));
        return result;
    }

    private async Task RotateForEverAsync()
    {
        using var timer = new PeriodicTimer(RotationInterval, _time);
        while (await timer.WaitForNextTickAsync(_closing.Token))
        {
            foreach (var workload in _held.Values.Where(w => w.Svid is not null && w.RotateAt <= _time.GetUtcNow()))
            {
                try
                {
                    await CurrentAsync(workload, _closing.Token);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    if (!workload.HasEnded)
                        Log.RotationFailed(_logger, workload.Id, workload.Document.Container, e);
                }
            }
        }
    }

    private HeldWorkload Held(string container) => FindHeld(container) ?? throw HasNone(container);

    private static CandelaException HasNone(string container) => new(ErrorCode.NotFound, $"container {Printable.Of(container)} has no identity here: it has ended, or runs elsewhere");

    private static void CheckContainer(string container)
    {
        if (container.Length is 0 or > ContainerLength || !container.All(char.IsAsciiLetterOrDigit))
            throw new ArgumentException($"A container's id has 1 to {ContainerLength} letters and digits.", nameof(container));
    }

    private static CertificateNames NamesOf(WorkloadSpec spec)
    {
        var dns = new List<string>();
        foreach (var name in spec.DnsNames)
        {
            // Containers may have names that hosts have not, such as my_db: no reason not to start one.
            if (DnsNames.TryCheck(name, allowWildcard: false) is { } host && !dns.Contains(host))
                dns.Add(host);
        }

        return new CertificateNames { Dns = dns, Addresses = [.. spec.Addresses.Distinct()] };
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Id} of container {Container} got no new X.509-SVID; it is tried again within seconds")]
        public static partial void RotationFailed(ILogger logger, SpiffeId id, string container, Exception reason);
    }
}
