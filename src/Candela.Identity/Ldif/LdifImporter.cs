using System.Runtime.ExceptionServices;
using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Storage;
using Candela.Model;

namespace Candela.Identity.Ldif;

/// <summary>One import of a file into a domain.</summary>
internal sealed class LdifImporter(StoredDirectory directory, TimeProvider time, Guid domainId, LdifPermits permits)
{
    /// <summary>Records that are under way at once, so that the store commits them together.</summary>
    private const int ConcurrentCount = 64;

    private readonly Lock _gate = new();
    private readonly List<string> _problems = [];
    private readonly List<(int Line, string Group, string Member)> _memberships = [];
    private int _created;
    private int _existing;
    private int _joined;

    /// <exception cref="LdifFormatException">The file cannot be read further; all that came before has been done.</exception>
    public async Task<LdifImport> RunAsync(LdifReader reader, CancellationToken cancellationToken)
    {
        ExceptionDispatchInfo? unreadable = null;
        var records = new List<LdifRecord>();
        do
        {
            records.Clear();
            try
            {
                while (records.Count < ConcurrentCount && await reader.ReadAsync(cancellationToken) is { } record)
                    records.Add(record);
            }
            catch (LdifFormatException e)
            {
                unreadable = ExceptionDispatchInfo.Capture(e);
            }

            await Task.WhenAll(records.Select(record => TryAsync(record.Line, record.Name, () => AddAsync(record, cancellationToken))));
        }
        while (records.Count > 0 && unreadable is null);
        foreach (var some in _memberships.Chunk(ConcurrentCount))
            await Task.WhenAll(some.Select(m => TryAsync(m.Line, m.Group, () => JoinAsync(m.Group, m.Member, cancellationToken))));
        unreadable?.Throw();
        return new LdifImport(_created, _existing, _joined, _problems);
    }

    private async Task TryAsync(int line, string name, Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (LdifFormatException e)
        {
            AddProblem(e.Message);
        }
        catch (CandelaException e)
        {
            AddProblem($"line {line}: {name}: {e.Message}");
        }
    }

    private async Task AddAsync(LdifRecord record, CancellationToken cancellationToken)
    {
        if (EntryRecords.Read(record, domainId) is not { } entry)
            return;
        if (entry is Group)
        {
            lock (_gate)
                _memberships.AddRange(EntryRecords.MemberNames(record).Select(member => (record.Line, entry.Name, member)));
        }

        if (directory.Current.Find(domainId, entry.Name) is { } there)
        {
            if (there.Kind == entry.Kind)
                Interlocked.Increment(ref _existing);
            else
                AddProblem($"line {record.Line}: {record.Name}: there is a {there.Kind} of this name");
            return;
        }

        await permits.CheckCreate(entry);
        // An id is kept where it is free, so that what refers to it goes on to.
        if (directory.Current.Get(entry.Id) is not null)
            entry = entry with { Id = Guid.Empty };
        var hash = entry is Group ? null : EntryRecords.PasswordHash(record);
        await directory.CreateAsync(
            entry,
            (made, transaction) =>
            {
                if (hash is not null)
                    transaction.Put(IdentityKeys.Credential(made.Id), CredentialStore.Encode(new CredentialDocument { PasswordHash = hash, PasswordChangedAt = time.GetUtcNow() }));
            },
            cancellationToken);
        Interlocked.Increment(ref _created);
        if (hash is null && record.Value("userPassword") is not null)
            AddProblem($"line {record.Line}: {record.Name}: made without a password, since its hash is of another kind than {{ARGON2}}: set a new one");
    }

    private async Task JoinAsync(string groupName, string memberName, CancellationToken cancellationToken)
    {
        var current = directory.Current;
        if (current.Find(domainId, EntryKind.Group, groupName) is not { } group)
            return; // its own problem has been told
        var member = current.Find(domainId, memberName) ?? throw new CandelaException(ErrorCode.NotFound, $"no account or group {memberName} to take in");
        if (current.IsMember(group.Id, member.Id))
            return;
        await permits.CheckJoin((Group)group);
        if (await directory.AddMemberAsync(group.Id, member.Id, cancellationToken))
            Interlocked.Increment(ref _joined);
    }

    private void AddProblem(string problem)
    {
        lock (_gate)
        {
            if (_problems.Count < LdifImport.ProblemCount)
                _problems.Add(problem);
        }
    }
}
