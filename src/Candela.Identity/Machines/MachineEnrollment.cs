using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Certificates.Requests;
using Candela.Identity.Certificates.Revocation;
using Candela.Identity.Workloads;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Machines;

/// <summary>
/// How a machine (host) comes to its certificate: the first by a one-time token, the next by the one it has. Its name and the address that
/// it is seen at are all that the certificate says. Safe for use from many threads.
/// </summary>
public sealed class MachineEnrollment(IStateStore store, CertificateAuthority authority, IDirectory directory, TimeProvider time)
{
    /// <summary>Longest life of a token.</summary>
    public static readonly TimeSpan TokenLifetimeMaximum = TimeSpan.FromDays(7);

    private const int TokenCount = StateLimits.PageCount;

    /// <summary>Makes a token by which one machine can join.</summary>
    /// <param name="machine">Name of the one machine that it is for, which may have joined before; null: any new one.</param>
    /// <param name="lifetime">Until when; at most <see cref="TokenLifetimeMaximum"/>.</param>
    /// <param name="createdBy">Who lets it join.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The token, which is not shown again.</returns>
    /// <exception cref="CandelaException">InvalidArgument; ResourceExhausted: too many tokens wait to be used.</exception>
    public async Task<JoinToken> CreateTokenAsync(string? machine, TimeSpan lifetime, string createdBy, CancellationToken cancellationToken)
    {
        if (lifetime <= TimeSpan.Zero || lifetime > TokenLifetimeMaximum)
            throw new CandelaException(ErrorCode.InvalidArgument, $"a join token lives at most {TokenLifetimeMaximum.TotalDays} days");
        var waiting = await PurgeTokensAsync(cancellationToken);
        if (waiting >= TokenCount)
            throw new CandelaException(ErrorCode.ResourceExhausted, $"{TokenCount} join tokens wait to be used: withdraw some");
        var token = JoinToken.New(authority.Roots[0].Span);
        var document = new JoinTokenDocument
        {
            Id = token.Id,
            SecretSha256 = SHA256.HashData(token.Secret.Span),
            Machine = machine is null ? null : Name(machine),
            ExpiresAt = time.GetUtcNow() + lifetime,
            CreatedBy = createdBy,
        };
        await store.CommitAsync(Put(new StateTransaction(), document, 0), cancellationToken);
        return token;
    }

    /// <summary>Makes a token worthless.</summary>
    /// <exception cref="CandelaException">NotFound: there is none, or it was used.</exception>
    public async Task WithdrawTokenAsync(string id, CancellationToken cancellationToken)
    {
        if (await ReadTokenAsync(id, cancellationToken) is not ({ Certificate: null }, var revision) ||
            !(await store.CommitAsync(new StateTransaction().Expect(MachineKeys.Token(id), revision).Delete(MachineKeys.Token(id)), cancellationToken)).Succeeded)
            throw new CandelaException(ErrorCode.NotFound, $"there is no join token {Printable.Of(id)}, or it was used just now");
    }

    /// <summary>
    /// A machine joins. If the answer does not reach it, it can repeat the call with the same key while the token lives, and gets the same
    /// certificate; with another key, or another name, it gets nothing.
    /// </summary>
    /// <param name="token">The token as text.</param>
    /// <param name="name">Name that the machine wants: a host name.</param>
    /// <param name="request">Signing request in DER; what names it asks for does not matter.</param>
    /// <param name="address">Address that it is seen at; null: none that others could reach.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">
    /// Unauthenticated: the token is not good. InvalidArgument. AlreadyExists: the name is taken; a token for that very machine lets it join again.
    /// </exception>
    public async Task<IssuedCertificate> JoinAsync(string token, string name, ReadOnlyMemory<byte> request, IPAddress? address, CancellationToken cancellationToken)
    {
        var read = JoinToken.Parse(token);
        var machine = Name(name);
        var key = SigningRequest.Read(request).PublicKey;
        var (bound, revision) = await BindAsync(read, machine, key, cancellationToken);
        if (bound.Certificate is { } before)
            return await authority.GetAsync(before.Serial, cancellationToken);
        await EnsureEntryAsync(bound, machine, cancellationToken);
        var (former, formerRevision) = await ReadMachineAsync(machine, cancellationToken) is var (document, r) ? (document, r) : (null, 0);
        var certificate = authority.Make(OrderOf(machine, address), key);
        var joined = new MachineDocument { Name = machine, Entry = bound.Entry, JoinedAt = time.GetUtcNow(), Certificates = HeldCertificate.With([], certificate, time.GetUtcNow()) };
        var transaction = Put(Put(new StateTransaction(), joined, formerRevision), bound with { Certificate = joined.Certificates[0] }, revision);
        CertificateRecords.Add(transaction, certificate);
        // A machine that joins again has lost its key, or somebody else has it.
        return await authority.Records.CommitRevocationsAsync(transaction, former?.Certificates ?? [], RevocationReason.Superseded, cancellationToken)
            ? certificate
            : throw TokenIsNotGood();
    }

    /// <summary>Gives a machine its next certificate. The one it has stays good until it expires.</summary>
    /// <param name="presented">Certificate that the machine has shown, and whose key it has proved to hold, in DER.</param>
    /// <param name="request">Signing request in DER, best of a new key.</param>
    /// <param name="address">Address that it is seen at.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">Unauthenticated: the certificate is not good, or the machine was removed. InvalidArgument.</exception>
    public async Task<IssuedCertificate> RenewAsync(ReadOnlyMemory<byte> presented, ReadOnlyMemory<byte> request, IPAddress? address, CancellationToken cancellationToken)
    {
        var machine = await VerifyAsync(presented, cancellationToken);
        var key = SigningRequest.Read(request).PublicKey;
        while (true)
        {
            if (await ReadMachineAsync(machine.Name, cancellationToken) is not var (document, revision))
                throw IsNoMachine(machine.Name);
            var certificate = authority.Make(OrderOf(machine.Name, address), key);
            var renewed = document with { Certificates = HeldCertificate.With(document.Certificates, certificate, time.GetUtcNow()) };
            if (renewed.Certificates.Count > CertificateCount)
                throw new CandelaException(ErrorCode.ResourceExhausted, $"{machine.Name} has {CertificateCount} certificates that have not expired: use these");
            var transaction = Put(new StateTransaction(), renewed, revision);
            CertificateRecords.Add(transaction, certificate);
            if ((await store.CommitAsync(transaction, cancellationToken)).Succeeded)
                return certificate;
        }
    }

    /// <summary>Says which machine has shown a certificate.</summary>
    /// <exception cref="CandelaException">Unauthenticated: it is not a machine's, or the machine is disabled or removed.</exception>
    public async Task<MachineIdentity> VerifyAsync(ReadOnlyMemory<byte> presented, CancellationToken cancellationToken)
    {
        var record = await authority.VerifyAsync(presented, CertificateProfile.Machine, cancellationToken);
        var name = record.Owner[OwnerPrefix.Length..];
        if (await ReadMachineAsync(name, cancellationToken) is not var (document, _) || document.Certificates.All(c => c.Serial != record.Serial) ||
            directory.Current.Get<MachineAccount>(document.Entry) is not { Enabled: true })
            throw IsNoMachine(name);
        return new MachineIdentity(name, document.Entry, record.NotAfter);
    }

    /// <summary>Removes a machine: its certificates are revoked, its entry in the directory goes.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    public async Task RemoveAsync(string name, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await ReadMachineAsync(Name(name), cancellationToken) is not var (document, revision))
                throw new CandelaException(ErrorCode.NotFound, $"there is no machine {Printable.Of(name)}");
            // The certificates first: what is left when this ends in between can do nothing.
            var transaction = new StateTransaction().Expect(MachineKeys.Machine(document.Name), revision).Delete(MachineKeys.Machine(document.Name));
            if (!await authority.Records.CommitRevocationsAsync(transaction, document.Certificates, RevocationReason.CessationOfOperation, cancellationToken))
                continue;
            if (directory.Current.Get<MachineAccount>(document.Entry) is not null)
                await directory.DeleteAsync(document.Entry, null, cancellationToken);
            return;
        }
    }

    private const string OwnerPrefix = "machine:";

    /// <summary>Most certificates of one machine that have not expired.</summary>
    private const int CertificateCount = 32;

    /// <summary>Makes the token this machine's and this key's.</summary>
    private async Task<(JoinTokenDocument Token, long Revision)> BindAsync(JoinToken token, string machine, PublicKeyInfo key, CancellationToken cancellationToken)
    {
        var keyHash = SHA256.HashData(key.Der.Span);
        while (true)
        {
            if (await ReadTokenAsync(token.Id, cancellationToken) is not var (document, revision) ||
                !CryptographicOperations.FixedTimeEquals(document.SecretSha256, SHA256.HashData(token.Secret.Span)) || document.ExpiresAt < time.GetUtcNow())
                throw TokenIsNotGood();
            if (document.Joining is not null)
                return document.Joining == machine && document.JoiningKey.AsSpan().SequenceEqual(keyHash) ? (document, revision) : throw TokenIsNotGood();
            if (document.Machine is not null && document.Machine != machine)
                throw new CandelaException(ErrorCode.InvalidArgument, $"this join token is for the machine {document.Machine}");
            var entry = directory.Current.Find(directory.Current.SystemDomain.Id, machine);
            if (entry is not null && (document.Machine is null || entry is not MachineAccount))
                throw new CandelaException(ErrorCode.AlreadyExists, $"the name {machine} is taken: choose another one, or get a join token for that machine");
            var bound = document with { Joining = machine, JoiningKey = keyHash, Entry = entry?.Id ?? Guid.CreateVersion7() };
            if (await store.CommitAsync(Put(new StateTransaction(), bound, revision), cancellationToken) is { Succeeded: true } result)
                return (bound, result.Revision);
        }
    }

    private async Task EnsureEntryAsync(JoinTokenDocument token, string machine, CancellationToken cancellationToken)
    {
        if (directory.Current.Get<MachineAccount>(token.Entry) is { } entry)
        {
            if (!entry.Enabled)
                throw new CandelaException(ErrorCode.PermissionDenied, $"the machine {machine} is disabled in the directory");
            return;
        }

        await directory.CreateAsync(new MachineAccount { Id = token.Entry, DomainId = directory.Current.SystemDomain.Id, Name = machine }, cancellationToken);
    }

    private CertificateOrder OrderOf(string machine, IPAddress? address) => new()
    {
        Profile = CertificateProfile.Machine,
        Owner = OwnerPrefix + machine,
        Names = new CertificateNames
        {
            Dns = [machine],
            Uris = [SpiffeId.OfMachine(authority.TrustDomain, machine).ToString()],
            Addresses = address is null || IPAddress.IsLoopback(address) || address.IsIPv6LinkLocal ? [] : [address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address],
        },
    };

    private async Task<(JoinTokenDocument Token, long Revision)?> ReadTokenAsync(string id, CancellationToken cancellationToken) =>
        id.Length is > 0 and <= 64 && await store.GetAsync(MachineKeys.Token(id), cancellationToken) is { } entry
            ? (JsonSerializer.Deserialize(entry.Value.Span, MachineJson.Default.JoinTokenDocument)!, entry.Revision)
            : null;

    private async Task<(MachineDocument Machine, long Revision)?> ReadMachineAsync(string name, CancellationToken cancellationToken) =>
        await store.GetAsync(MachineKeys.Machine(name), cancellationToken) is { } entry
            ? (JsonSerializer.Deserialize(entry.Value.Span, MachineJson.Default.MachineDocument)!, entry.Revision)
            : null;

    /// <summary>Deletes what has expired; tells how many are left.</summary>
    private async Task<int> PurgeTokensAsync(CancellationToken cancellationToken)
    {
        var page = await store.RangeAsync(MachineKeys.Tokens, null, TokenCount, cancellationToken);
        var over = page.Entries.Where(e => JsonSerializer.Deserialize(e.Value.Span, MachineJson.Default.JoinTokenDocument)!.ExpiresAt < time.GetUtcNow()).ToArray();
        if (over.Length > 0)
            await store.CommitAsync(over.Aggregate(new StateTransaction(), (t, e) => t.Delete(e.Key)), cancellationToken);
        return page.Entries.Count - over.Length;
    }

    private static StateTransaction Put(StateTransaction transaction, JoinTokenDocument token, long revision) => transaction
        .Expect(MachineKeys.Token(token.Id), revision)
        .Put(MachineKeys.Token(token.Id), JsonSerializer.SerializeToUtf8Bytes(token, MachineJson.Default.JoinTokenDocument));

    private static StateTransaction Put(StateTransaction transaction, MachineDocument machine, long revision) => transaction
        .Expect(MachineKeys.Machine(machine.Name), revision)
        .Put(MachineKeys.Machine(machine.Name), JsonSerializer.SerializeToUtf8Bytes(machine, MachineJson.Default.MachineDocument));

    /// <summary>A machine's name is a host name in lower case, and part of its identity.</summary>
    private string Name(string name)
    {
        var host = DnsNames.Check(name, allowWildcard: false);
        SpiffeId.OfMachine(authority.TrustDomain, host);
        return host;
    }

    private static CandelaException TokenIsNotGood() => new(ErrorCode.Unauthenticated, "the join token is not good: it was used, has expired, or never was: get another one");

    private static CandelaException IsNoMachine(string name) => new(ErrorCode.Unauthenticated, $"{name} is not a machine of this installation, or is disabled: let it join again with a token");
}
