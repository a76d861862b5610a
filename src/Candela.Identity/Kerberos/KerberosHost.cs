using System.Security.Cryptography;
using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Following;
using Candela.Identity.Kerberos.Kdc;
using Candela.Identity.Kerberos.Keys;
using Candela.Identity.Kerberos.Principals;
using Candela.Identity.Secrets;
using Candela.Identity.Storage;
using Candela.Model;
using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Kerberos;

/// <summary>
/// Runs a KDC whose database is a projection of accounts, credentials, locks and service principals: made anew at the start, then kept in step.
/// While the state store does not answer the KDC does not, either, for it would serve those whose rights were revoked.
/// </summary>
public sealed partial class KerberosHost : IAsyncDisposable
{
    /// <summary>How often it is asked whether something is new: bounds how long a revocation may take where nothing announces it.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(30);

    /// <summary>Services of Candela itself, and the host.</summary>
    private static readonly string[] OwnServices = ["host", "HTTP", "ldap"];

    /// <summary>Most principals that are loaded besides the rest; of more, all are loaded.</summary>
    private const int UpdateCount = 2000;

    private readonly IStateStore _store;
    private readonly ISecretBox _secrets;
    private readonly IdentityReplica _replica;
    private readonly FailureLedger _failures;
    private readonly ServicePrincipals _services;
    private readonly KdcLog _kdcLog;
    private readonly KerberosOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly KdcFolder _folder;
    private readonly CancellationTokenSource _closing = new();
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly Lock _gate = new();

    // What the state store has, below the gate.
    private readonly Dictionary<Guid, (long Revision, KeySet Keys, bool MustChange, DateTimeOffset ChangedAt)> _keys = [];
    private readonly Dictionary<string, FailureDocument[]> _locks = [];
    private readonly Dictionary<string, (long Revision, ServicePrincipal Principal)> _principals = [];
    private long _changes;

    // What the KDC has.
    private readonly Dictionary<string, Projected> _projected = [];
    private readonly Dictionary<(Guid DomainId, string Name), FailurePlace> _places = [];
    private KerberosKey _master = new(KeyType.Aes256Sha1, []);
    private RealmDocument? _realm;
    private (long Directory, long Changes, DateTimeOffset Until) _seen;
    private KdcProcess? _process;
    private Task _working = Task.CompletedTask;

    internal KerberosHost(
        IStateStore store, ISecretBox secrets, IdentityReplica replica, FailureLedger failures, ServicePrincipals services, KdcLog kdcLog, KerberosOptions options, TimeProvider time,
        ILogger<KerberosHost> logger)
    {
        _store = store;
        _secrets = secrets;
        _replica = replica;
        _failures = failures;
        _services = services;
        _kdcLog = kdcLog;
        _options = options;
        _time = time;
        _logger = logger;
        _folder = new KdcFolder(options);
    }

    /// <summary>Id of the KDC's process; null: there is none now.</summary>
    public int? ProcessId => _process?.Id;

    /// <summary>Makes the realm at the first start, builds the database and starts the KDC. The directory must have been started.</summary>
    /// <exception cref="Model.CandelaException">Conflict: the installation has another realm; Unavailable: the programs of MIT Kerberos are missing, or fail.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _realm = await _services.EnsureRealmAsync(cancellationToken);
        var own = new List<KeytabEntry>();
        foreach (var name in _options.HostNames.SelectMany(host => OwnServices.Select(service => $"{service}/{host}")))
            own.AddRange(_services.KeytabOf(await _services.EnsureAsync(name, null, withNewKeys: false, cancellationToken)));
        KdcFolder.WriteAtomically(_options.KeytabPath, UnixFileMode.None, Keytab.Write(own));

        _master = new KerberosKey(KeyType.Aes256Sha1, RandomNumberGenerator.GetBytes(32));
        _folder.Create(_master);
        var followers = new List<Task>
        {
            await FollowAsync(IdentityKeys.Credentials, _keys.Clear, ApplyCredential, cancellationToken),
            await FollowAsync(IdentityKeys.AllFailures, _locks.Clear, ApplyFailures, cancellationToken),
            await FollowAsync(IdentityKeys.KerberosServices, _principals.Clear, ApplyService, cancellationToken),
        };
        await ProjectAsync(isUpdate: false, cancellationToken);
        _process = new KdcProcess(() => _folder.Command("krb5kdc", "-n", "-r", _options.Realm), _kdcLog.Add, _logger);
        _working = Task.WhenAll([.. followers, _kdcLog.RunAsync(_closing.Token), Task.Run(WorkAsync, CancellationToken.None)]);
        _process.Want(true);
        try
        {
            await _kdcLog.Ready.WaitAsync(StartTime, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new CandelaException(ErrorCode.Unavailable, $"krb5kdc does not start at {string.Join(", ", _options.Endpoints)}: {_kdcLog.Problem ?? "it says nothing"}");
        }
    }

    /// <summary>Ends the KDC and deletes its database.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested)
            return;
        await _closing.CancelAsync();
        await _working.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_process is not null)
        {
            _process.Dispose();
            _folder.Delete();
            File.Delete(_options.KeytabPath);
            File.Delete(_options.ClientConfigurationPath);
        }

        CryptographicOperations.ZeroMemory(_master.Value);
        _closing.Dispose();
        _signal.Dispose();
    }

    /// <summary>Reads what is below a prefix, and follows it from there on.</summary>
    private async Task<Task> FollowAsync(string prefix, Action clear, Action<string, long, ReadOnlyMemory<byte>?> apply, CancellationToken cancellationToken)
    {
        var follower = new StateFollower(
            _store,
            prefix,
            async token =>
            {
                var entries = new List<StateEntry>();
                string? after = null;
                long? revision = null;
                do
                {
                    var page = await _store.RangeAsync(prefix, after, StateLimits.PageCount, token);
                    revision ??= page.Revision;
                    entries.AddRange(page.Entries);
                    after = page.Next;
                }
                while (after is not null);
                Apply(() =>
                {
                    clear();
                    foreach (var entry in entries)
                        apply(entry.Key[prefix.Length..], entry.Revision, entry.Value);
                });
                return revision.Value;
            },
            (change, _) =>
            {
                Apply(() => apply(change.Key[prefix.Length..], change.Revision, change.Value));
                return ValueTask.CompletedTask;
            },
            _time,
            _logger);
        return follower.RunAsync(await follower.ReadAsync(cancellationToken), _closing.Token);

        void Apply(Action change)
        {
            lock (_gate)
            {
                change();
                _changes++;
            }

            Wake();
        }
    }

    private void ApplyCredential(string id, long revision, ReadOnlyMemory<byte>? value)
    {
        var document = value is { } bytes ? JsonSerializer.Deserialize(bytes.Span, IdentityJson.Default.CredentialDocument) : null;
        // Whoever has a second factor does not get in by the password alone.
        if (document is { Kerberos: { Sealed: not null } keys, Totp: null, PasskeyRequired: false })
            _keys[Guid.Parse(id)] = (revision, keys, document.MustChange, document.PasswordChangedAt);
        else
            _keys.Remove(Guid.Parse(id));
    }

    private void ApplyFailures(string slot, long revision, ReadOnlyMemory<byte>? value)
    {
        FailureDocument[] locks = value is { } bytes ? [.. JsonSerializer.Deserialize(bytes.Span, IdentityJson.Default.FailureSlot)!.Names.Where(name => name.LockedUntil is not null)] : [];
        if (locks.Length > 0)
            _locks[IdentityKeys.AllFailures + slot] = locks;
        else
            _locks.Remove(IdentityKeys.AllFailures + slot);
    }

    private void ApplyService(string name, long revision, ReadOnlyMemory<byte>? value)
    {
        if (value is { } bytes)
            _principals[name] = (revision, ServicePrincipals.Decode(bytes));
        else
            _principals.Remove(name);
    }

    private void Wake()
    {
        try
        {
            _signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // It will look soon, anyway.
        }
    }

    private async Task WorkAsync()
    {
        var isWhole = true;
        while (true)
        {
            await _signal.WaitAsync(Interval, _closing.Token);
            try
            {
                bool isFresh = await _replica.ConfirmAsync(_closing.Token);
                if (isFresh)
                    await ProjectAsync(isWhole, _closing.Token);
                isWhole = true;
                _process!.Want(isFresh);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                isWhole = false; // what the database has is not known
                _process!.Want(false);
                Log.NotInStep(_logger, e);
            }
        }
    }

    /// <summary>Brings the database in step with what is known.</summary>
    private async Task ProjectAsync(bool isUpdate, CancellationToken cancellationToken)
    {
        var directory = _replica.Current.Directory;
        long changes;
        lock (_gate)
            changes = _changes;
        var now = _time.GetUtcNow();
        if (isUpdate && _seen.Directory == directory.Revision && _seen.Changes == changes && now < _seen.Until)
            return;
        var (wanted, until) = await CollectAsync(directory, now, cancellationToken);
        var changed = wanted.Values.Where(principal => !isUpdate || _projected.GetValueOrDefault(principal.Name) != principal).ToList();
        var gone = isUpdate ? _projected.Values.Where(principal => !wanted.ContainsKey(principal.Name) && !principal.IsGone).ToList() : [];
        isUpdate = isUpdate && changed.Count + gone.Count <= UpdateCount;
        if (!isUpdate || changed.Count + gone.Count > 0)
        {
            var dump = Dump(directory, isUpdate ? changed : [.. wanted.Values], isUpdate ? gone : [], isUpdate);
            try
            {
                await _folder.LoadAsync(dump, isUpdate, cancellationToken);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(dump);
            }

            if (!isUpdate)
                _projected.Clear();
            foreach (var principal in isUpdate ? changed : [.. wanted.Values])
                _projected[principal.Name] = principal;
            foreach (var principal in gone)
                _projected[principal.Name] = principal with { IsGone = true };
            Log.Projected(_logger, isUpdate ? changed.Count : wanted.Count, gone.Count);
        }

        _seen = (directory.Revision, changes, until);
    }

    /// <summary>What the database is to have, and until when.</summary>
    private async Task<(Dictionary<string, Projected> Wanted, DateTimeOffset Until)> CollectAsync(DirectorySnapshot directory, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var wanted = new Dictionary<string, Projected>();
        var until = DateTimeOffset.MaxValue;
        List<(Guid Id, long Revision, KeySet Keys, bool MustChange, DateTimeOffset ChangedAt)> keys;
        lock (_gate)
            keys = [.. _keys.Select(pair => (pair.Key, pair.Value.Revision, pair.Value.Keys, pair.Value.MustChange, pair.Value.ChangedAt))];
        foreach (var (id, revision, set, mustChange, changedAt) in keys)
        {
            if (directory.Get(id) is not { Kind: not EntryKind.Group } account || directory.GetDomain(account.DomainId) is not { } domain)
                continue;
            if (!_places.TryGetValue((domain.Id, account.Name), out var place))
                place = _places[(domain.Id, account.Name)] = await _failures.FindAsync(domain.Id, account.Name, cancellationToken);
            var lockedUntil = LockedUntil(place);
            bool isLocked = lockedUntil > now;
            if (isLocked && lockedUntil < until)
                until = lockedUntil.Value;
            var name = PrincipalName.Of(account, domain);
            var flags = PrincipalFlags.RequiresPreauthentication |
                (set.Salt is not null ? PrincipalFlags.DisallowService : 0) |
                (mustChange ? PrincipalFlags.RequiresPasswordChange : 0) |
                (isLocked || !account.Enabled || !domain.Enabled ? PrincipalFlags.DisallowAllTickets : 0);
            var expiresAt = account is User && domain.PasswordPolicy.MaximumAgeDays is { } days ? changedAt + TimeSpan.FromDays(days) : (DateTimeOffset?)null;
            wanted[name] = new Projected(name, IdentityKeys.Credential(id), revision, set, flags, expiresAt, domain);
        }

        List<(long Revision, ServicePrincipal Principal)> services;
        lock (_gate)
            services = [.. _principals.Values];
        foreach (var (revision, service) in services)
        {
            var isEnabled = service.AccountId is not { } id ||
                (directory.Get(id) is { Enabled: true } account && directory.GetDomain(account.DomainId) is { Enabled: true });
            wanted[service.Name] = new Projected(
                service.Name, IdentityKeys.KerberosService(service.Name), revision, service.Keys,
                PrincipalFlags.RequiresPreauthentication | (isEnabled ? 0 : PrincipalFlags.DisallowAllTickets), null, null);
        }

        var tickets = $"krbtgt/{_options.Realm}";
        wanted[tickets] = new Projected(tickets, IdentityKeys.KerberosRealm, 0, _realm!.Keys, PrincipalFlags.Lockdown, null, null);
        return (wanted, until);
    }

    private DateTimeOffset? LockedUntil(FailurePlace place)
    {
        lock (_gate)
            return _locks.TryGetValue(place.Key, out var locks) ? locks.FirstOrDefault(name => name.NameDigest == place.NameDigest)?.LockedUntil : null;
    }

    private byte[] Dump(DirectorySnapshot directory, List<Projected> principals, List<Projected> gone, bool isUpdate)
    {
        var writer = new DumpWriter(_options.Realm, _master, _options.TicketLifetime);
        if (!isUpdate)
            writer.AddMaster();
        foreach (var principal in principals)
        {
            KerberosKey[] keys;
            try
            {
                keys = principal.Keys.Open(principal.Place, _secrets);
            }
            catch (CryptographicException e)
            {
                Log.NotOpened(_logger, principal.Name, e);
                continue;
            }

            writer.Add(new KdcPrincipal(
                principal.Name, principal.Flags, principal.PasswordExpiresAt, principal.Domain is null ? null : DumpWriter.PolicyName(principal.Domain), principal.Keys.Version, principal.Keys.Salt, keys));
            foreach (var key in keys)
                CryptographicOperations.ZeroMemory(key.Value);
        }

        foreach (var principal in gone)
            writer.Add(new KdcPrincipal(principal.Name, PrincipalFlags.DisallowAllTickets, null, null, 1, null, []));
        foreach (var domain in directory.Domains)
            writer.AddPolicy(domain);
        return writer.ToBytes();
    }

    /// <summary>What decides what the database has of a principal: equal ones need not be loaded again.</summary>
    private sealed record Projected(
        string Name, string Place, long Revision, KeySet Keys, PrincipalFlags Flags, DateTimeOffset? PasswordExpiresAt, Domain? Domain)
    {
        /// <summary>It cannot be taken out while the KDC runs, so it is kept without keys.</summary>
        public bool IsGone { get; init; }

        public bool Equals(Projected? other) =>
            other is not null && Name == other.Name && Place == other.Place && Revision == other.Revision && Flags == other.Flags && PasswordExpiresAt == other.PasswordExpiresAt &&
            Domain?.Id == other.Domain?.Id && Domain?.Revision == other.Domain?.Revision && IsGone == other.IsGone;

        public override int GetHashCode() => HashCode.Combine(Name, Revision, Flags);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The KDC's database cannot be kept in step with the accounts: the KDC is stopped until it can")]
        public static partial void NotInStep(ILogger logger, Exception reason);

        [LoggerMessage(2, LogLevel.Debug, "The KDC's database got {Count} principals, {GoneCount} are out of use")]
        public static partial void Projected(ILogger logger, int count, int goneCount);

        [LoggerMessage(3, LogLevel.Error, "The Kerberos keys of {Principal} cannot be opened: it cannot sign in")]
        public static partial void NotOpened(ILogger logger, string principal, Exception reason);
    }
}
