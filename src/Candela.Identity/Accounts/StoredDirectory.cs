using System.Runtime.CompilerServices;
using Candela.Identity.Authorization;
using Candela.Identity.Storage;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Accounts;

/// <summary>The directory in the state store.</summary>
internal sealed partial class StoredDirectory(IStateStore store, DirectoryWriter writer, IdentityReplica replica, PosixNumbers numbers, TimeProvider time) : IDirectory
{
    /// <summary>Most memberships and bindings that the transaction removes which removes an entry: leaves room for what else it does.</summary>
    private const int ReferenceCount = StateLimits.TransactionCount - 64;

    /// <summary>How often a change is tried again that met another one.</summary>
    private const int AttemptCount = 16;

    public DirectorySnapshot Current => replica.Current.Directory;

    public async Task<Domain> CreateDomainAsync(Domain domain, CancellationToken cancellationToken)
    {
        EntryCheck.Check(domain);
        if ((domain.Tenant is null) != (domain.Name == Domain.SystemName))
            throw new CandelaException(ErrorCode.InvalidArgument, $"the domain '{Domain.SystemName}' has no tenant, and every other domain has one");
        var now = time.GetUtcNow();
        domain = domain with { Id = domain.Id == Guid.Empty ? Guid.CreateVersion7(now) : domain.Id, CreatedAt = now, ModifiedAt = now };
        var id = Text(domain.Id);
        var transaction = new StateTransaction()
            .Expect(IdentityKeys.DomainName(domain.Name), 0).Put(IdentityKeys.DomainName(domain.Name), id)
            .Expect(IdentityKeys.Domain(domain.Id), 0).Put(IdentityKeys.Domain(domain.Id), DirectoryCodec.Encode(domain));
        if (domain.Tenant is { } tenant)
            transaction.Expect(IdentityKeys.DomainTenant(tenant), 0).Put(IdentityKeys.DomainTenant(tenant), id);
        var (failed, revision) = await writer.TryCommitAsync(transaction, cancellationToken);
        if (failed is null)
            return domain with { Revision = revision };
        throw new CandelaException(
            ErrorCode.AlreadyExists,
            failed.StartsWith(IdentityKeys.DomainTenant(""), StringComparison.Ordinal) ? $"Tenant {domain.Tenant} has a domain already." : $"Domain {domain.Name} exists already: choose another name.");
    }

    public async Task<Domain> UpdateDomainAsync(Domain domain, CancellationToken cancellationToken)
    {
        EntryCheck.Check(domain);
        var former = GetDomain(domain.Id);
        if (former.Name != domain.Name || former.Tenant != domain.Tenant)
            throw new CandelaException(ErrorCode.InvalidArgument, "A domain keeps its name and its tenant.");
        if (former.IsSystem && !domain.Enabled)
            throw new CandelaException(ErrorCode.InvalidArgument, "The system domain cannot be disabled: nobody could enable it again.");
        domain = domain with { CreatedAt = former.CreatedAt, ModifiedAt = time.GetUtcNow() };
        var key = IdentityKeys.Domain(domain.Id);
        var (failed, revision) = await writer.TryCommitAsync(new StateTransaction().Expect(key, domain.Revision).Put(key, DirectoryCodec.Encode(domain)), cancellationToken);
        return failed is null ? domain with { Revision = revision } : throw Changed($"domain {domain.Name}");
    }

    public async Task DeleteDomainAsync(Guid id, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < AttemptCount; attempt++)
        {
            var links = await writer.RevisionAsync(IdentityKeys.DomainLinks(id), cancellationToken);
            var current = (await replica.RefreshAsync(cancellationToken)).Directory;
            var domain = GetDomain(id);
            if (domain.IsSystem)
                throw new CandelaException(ErrorCode.Conflict, "The system domain cannot be removed.");
            if (Enum.GetValues<EntryKind>().Any(kind => current.Count(id, kind) > 0))
                throw new CandelaException(ErrorCode.Conflict, $"Domain {domain.Name} has accounts or groups: remove them first.");
            var transaction = new StateTransaction()
                .Expect(IdentityKeys.DomainLinks(id), links)
                .Expect(IdentityKeys.Domain(id), domain.Revision)
                .Delete(IdentityKeys.Domain(id))
                .Delete(IdentityKeys.DomainName(domain.Name))
                .Delete(IdentityKeys.DomainTenant(domain.Tenant!))
                .Delete(IdentityKeys.DomainLinks(id))
                .Delete(IdentityKeys.Nesting(id));
            if ((await writer.TryCommitAsync(transaction, cancellationToken)).FailedKey is not null)
                continue;
            while (await store.RangeAsync(IdentityKeys.Failures(id), null, StateLimits.PageCount, cancellationToken) is { Entries: { Count: > 0 } failures })
                await writer.DeleteAsync(failures.Select(entry => entry.Key), cancellationToken);
            return;
        }

        throw Busy();
    }

    public Task<T> CreateAsync<T>(T entry, CancellationToken cancellationToken)
        where T : DirectoryEntry => CreateAsync(entry, also: null, cancellationToken);

    /// <summary>Makes an account or group, and something else in the same transaction.</summary>
    public async Task<T> CreateAsync<T>(T entry, Action<T, StateTransaction>? also, CancellationToken cancellationToken)
        where T : DirectoryEntry
    {
        EntryCheck.Check(entry);
        var now = time.GetUtcNow();
        entry = (T)await CompleteAsync(entry with { Id = entry.Id == Guid.Empty ? Guid.CreateVersion7(now) : entry.Id, CreatedAt = now, ModifiedAt = now }, cancellationToken);
        for (int attempt = 0; attempt < AttemptCount; attempt++)
        {
            var domain = GetDomain(entry.DomainId);
            var transaction = new StateTransaction()
                .Expect(IdentityKeys.Domain(domain.Id), domain.Revision)
                .Put(IdentityKeys.DomainLinks(domain.Id), DirectoryWriter.Mark)
                .Expect(IdentityKeys.Entry(entry.Id), 0)
                .Put(IdentityKeys.Entry(entry.Id), DirectoryCodec.Encode(entry));
            foreach (var key in UniqueKeys(entry))
                transaction.Expect(key, 0).Put(key, Text(entry.Id));
            also?.Invoke(entry, transaction);
            var (failed, revision) = await writer.TryCommitAsync(transaction, cancellationToken);
            if (failed is null)
                return entry with { Revision = revision };
            if (failed == IdentityKeys.Entry(entry.Id) || UniqueKeys(entry).Contains(failed))
                throw Taken(failed, entry);
            if (failed != IdentityKeys.Domain(domain.Id))
                throw Changed("what it is to have");
        }

        throw Busy();
    }

    public Task<T> UpdateAsync<T>(T entry, CancellationToken cancellationToken)
        where T : DirectoryEntry => UpdateAsync(entry, also: null, cancellationToken);

    /// <summary>Changes an account or group, and something else in the same transaction.</summary>
    private async Task<T> UpdateAsync<T>(T entry, Action<StateTransaction>? also, CancellationToken cancellationToken)
        where T : DirectoryEntry
    {
        EntryCheck.Check(entry);
        var former = GetEntry(entry.Id);
        if (former.Kind != entry.Kind || former.DomainId != entry.DomainId)
            throw new CandelaException(ErrorCode.InvalidArgument, "An entry keeps its kind and its domain: make a new one instead.");
        if (former.Revision != entry.Revision)
            throw Changed(former.Name);
        entry = (T)await CompleteAsync(entry with { CreatedAt = former.CreatedAt, ModifiedAt = time.GetUtcNow() }, cancellationToken);
        var transaction = new StateTransaction()
            .Expect(IdentityKeys.Entry(entry.Id), former.Revision)
            .Put(IdentityKeys.Entry(entry.Id), DirectoryCodec.Encode(entry));
        string[] before = [.. UniqueKeys(former)], after = [.. UniqueKeys(entry)];
        foreach (var key in after.Except(before))
            transaction.Expect(key, 0).Put(key, Text(entry.Id));
        foreach (var key in before.Except(after))
            transaction.Delete(key);
        also?.Invoke(transaction);
        var (failed, revision) = await writer.TryCommitAsync(transaction, cancellationToken);
        if (failed is null)
            return entry with { Revision = revision };
        throw after.Contains(failed) ? Taken(failed, entry) : Changed(former.Name);
    }

    public async Task DeleteAsync(Guid id, long? expectedRevision, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < AttemptCount; attempt++)
        {
            // The links first: what is added after this makes the transaction fail.
            var links = await writer.RevisionAsync(IdentityKeys.Links(id), cancellationToken);
            var identity = await replica.RefreshAsync(cancellationToken);
            var entry = GetEntry(id);
            if (expectedRevision is { } expected && expected != entry.Revision)
                throw Changed(entry.Name);
            var transaction = new StateTransaction()
                .Expect(IdentityKeys.Links(id), links)
                .Expect(IdentityKeys.Entry(id), entry.Revision)
                .Delete(IdentityKeys.Entry(id))
                .Delete(IdentityKeys.Links(id))
                .Delete(IdentityKeys.Credential(id))
                .Put(IdentityKeys.DomainLinks(entry.DomainId), DirectoryWriter.Mark);
            foreach (var key in UniqueKeys(entry))
                transaction.Delete(key);

            // Ids are never used again, so what does not fit into the transaction means nothing from then on.
            string[] references = [.. References(identity, id)];
            foreach (var key in references.Take(ReferenceCount))
                transaction.Delete(key);
            if ((await writer.TryCommitAsync(transaction, cancellationToken)).FailedKey is not null)
                continue;
            await writer.DeleteAsync(references.Skip(ReferenceCount), cancellationToken);
            return;
        }

        throw Busy();
    }

    public async IAsyncEnumerable<DirectoryChange> WatchAsync(long fromRevision, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var change in store.WatchAsync(IdentityKeys.Directory, fromRevision, cancellationToken))
        {
            if (DirectoryCodec.Decode(change.Key, change.Revision, change.Value) is { } decoded)
                yield return decoded;
        }
    }

    public Task<Domain> EnsureTenantDomainAsync(string tenant, CancellationToken cancellationToken) =>
        EnsureAsync(current => current.FindDomainOfTenant(tenant), new Domain { Name = tenant, Tenant = tenant }, cancellationToken);

    /// <summary>Makes the system domain at the first start.</summary>
    public Task<Domain> EnsureSystemDomainAsync(CancellationToken cancellationToken) => EnsureAsync(
        current => current.FindDomain(Domain.SystemName), new Domain { Name = Domain.SystemName, Description = "Operators of the platform" }, cancellationToken);

    private async Task<Domain> EnsureAsync(Func<DirectorySnapshot, Domain?> find, Domain domain, CancellationToken cancellationToken)
    {
        if (find(Current) is { } there)
            return there;
        try
        {
            return await CreateDomainAsync(domain, cancellationToken);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.AlreadyExists && find(Current) is { } made)
        {
            return made; // another controller was first
        }
    }

    private static byte[] Text(Guid id) => System.Text.Encoding.ASCII.GetBytes(id.ToString());

    /// <summary>Memberships and bindings of an entry.</summary>
    private static IEnumerable<string> References(IdentitySnapshot identity, Guid id) =>
        identity.Directory.GroupsOf(id).Select(group => IdentityKeys.Member(group, id))
            .Concat(identity.Directory.MembersOf(id).Select(member => IdentityKeys.Member(id, member)))
            .Concat(identity.Policy.BindingsOf(Subject.Entry(id)).Select(binding => IdentityKeys.Binding(binding.Id)));

    private static IEnumerable<string> UniqueKeys(DirectoryEntry entry)
    {
        yield return IdentityKeys.Name(entry.DomainId, entry.Name);
        if (entry is User { Posix: { } posix })
            yield return IdentityKeys.Uid(entry.DomainId, posix.UidNumber);
        if (entry is Group group)
            yield return IdentityKeys.Gid(entry.DomainId, group.GidNumber);
    }

    private static CandelaException Taken(string key, DirectoryEntry entry) => new(
        ErrorCode.AlreadyExists,
        key == IdentityKeys.Name(entry.DomainId, entry.Name) ? $"The name {entry.Name} is taken in this domain: choose another one."
        : key == IdentityKeys.Entry(entry.Id) ? $"The id {entry.Id} is taken."
        : $"The Unix number {key[(key.LastIndexOf('/') + 1)..]} is taken in this domain: choose another one, or have one allotted.");

    private static CandelaException Changed(string what) => new(ErrorCode.Conflict, $"Somebody changed {what} meanwhile: read it again, then repeat the change.");

    private static CandelaException Busy() => new(ErrorCode.Conflict, "Others change the same all the time: try again.");

    private Domain GetDomain(Guid id) => Current.GetDomain(id) ?? throw new CandelaException(ErrorCode.NotFound, $"No such domain: {id}");

    private DirectoryEntry GetEntry(Guid id) => Current.Get(id) ?? throw new CandelaException(ErrorCode.NotFound, $"No such account or group: {id}");

    /// <summary>Fills in what is allotted, and attributes in their stored form.</summary>
    private async Task<DirectoryEntry> CompleteAsync(DirectoryEntry entry, CancellationToken cancellationToken)
    {
        switch (entry)
        {
            case User user:
                var posix = user.Posix ?? new PosixAccount();
                uint uid = posix.UidNumber == 0 ? await numbers.TakeAsync(cancellationToken) : posix.UidNumber;
                return user with
                {
                    Posix = posix with
                    {
                        UidNumber = uid,
                        GidNumber = posix.GidNumber == 0 ? uid : posix.GidNumber,
                        HomeDirectory = posix.HomeDirectory.Length == 0 ? $"/home/{EntryName.Fold(user.Name)}" : posix.HomeDirectory,
                    },
                };
            case Group { GidNumber: 0 } group:
                return group with { GidNumber = await numbers.TakeAsync(cancellationToken) };
            default:
                return entry;
        }
    }
}
