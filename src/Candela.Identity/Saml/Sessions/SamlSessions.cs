using System.Text;
using System.Text.Json;
using Candela.Identity.Saml.Storage;
using Candela.Identity.Storage;
using Candela.State;

namespace Candela.Identity.Saml.Sessions;

/// <summary>Service providers' sessions, answered requests and logouts on their way, in the state store; each ends by itself.</summary>
internal sealed class SamlSessions(IStateStore store, SamlOptions options, TimeProvider time) : IDisposable
{
    private readonly ExpiryLeases _leases = new(store, time);

    /// <summary>The session at a service provider that a sign-in session has; null: none.</summary>
    public async Task<SamlSession?> FindAsync(string signInSession, string provider, CancellationToken cancellationToken) =>
        await store.GetAsync(SamlStateKeys.Session(signInSession, provider), cancellationToken) is { } entry ? Decode(entry) : null;

    /// <summary>The session that a session index names; null: none.</summary>
    public async Task<SamlSession?> FindByIndexAsync(string index, string provider, CancellationToken cancellationToken) =>
        await store.GetAsync(SamlStateKeys.SessionIndex(index), cancellationToken) is { } entry &&
        await FindAsync(Encoding.ASCII.GetString(entry.Value.Span), provider, cancellationToken) is { } session && session.Index == index
            ? session
            : null;

    /// <summary>All that came from a sign-in session.</summary>
    public async Task<IReadOnlyList<SamlSession>> ListAsync(string signInSession, CancellationToken cancellationToken) =>
        [.. (await store.RangeAsync(SamlStateKeys.Sessions(signInSession), null, SamlLimits.ParticipantCount, cancellationToken)).Entries.Select(Decode)];

    /// <summary>Keeps a session and takes the request out of use, both or nothing; false: it was answered before.</summary>
    public async Task<bool> BeginAsync(SamlSession session, string requestId, CancellationToken cancellationToken)
    {
        var used = SamlStateKeys.Used(session.EntityId, requestId);
        var lease = await _leases.GetAsync(options.SessionLifetime, cancellationToken);
        var transaction = new StateTransaction()
            .Expect(used, 0)
            .Put(used, ReadOnlyMemory<byte>.Empty, await _leases.GetAsync(options.RequestLifetime + options.SignInTime + options.ClockSkew, cancellationToken))
            .Put(SamlStateKeys.Session(session.SignInSession, session.Provider), JsonSerializer.SerializeToUtf8Bytes(session, SamlJson.Default.SamlSession), lease)
            .Put(SamlStateKeys.SessionIndex(session.Index), Encoding.ASCII.GetBytes(session.SignInSession), lease);
        return (await store.CommitAsync(transaction, cancellationToken)).Succeeded;
    }

    /// <summary>Takes a logout request out of use; false: it came before.</summary>
    public async Task<bool> UseAsync(string entityId, string requestId, CancellationToken cancellationToken)
    {
        var used = SamlStateKeys.Used(entityId, requestId);
        var lease = await _leases.GetAsync(options.RequestLifetime + options.SignInTime + options.ClockSkew, cancellationToken);
        return (await store.CommitAsync(new StateTransaction().Expect(used, 0).Put(used, ReadOnlyMemory<byte>.Empty, lease), cancellationToken)).Succeeded;
    }

    /// <summary>Forgets sessions.</summary>
    public async Task EndAsync(IEnumerable<SamlSession> sessions, CancellationToken cancellationToken)
    {
        var transaction = new StateTransaction();
        foreach (var session in sessions)
            transaction.Delete(SamlStateKeys.Session(session.SignInSession, session.Provider)).Delete(SamlStateKeys.SessionIndex(session.Index));
        if (transaction.Writes.Count > 0)
            await store.CommitAsync(transaction, cancellationToken);
    }

    /// <summary>Keeps a logout that waits for the answer to a request.</summary>
    public async Task PutLogoutAsync(PendingLogout logout, CancellationToken cancellationToken) => await store.CommitAsync(
        new StateTransaction().Put(
            SamlStateKeys.Logout(logout.AwaitedRequestId!),
            JsonSerializer.SerializeToUtf8Bytes(logout, SamlJson.Default.PendingLogout),
            await _leases.GetAsync(options.LogoutTime, cancellationToken)),
        cancellationToken);

    /// <summary>Takes the logout that waits for the answer to a request, once; null: none does.</summary>
    public async Task<PendingLogout?> TakeLogoutAsync(string requestId, CancellationToken cancellationToken)
    {
        var key = SamlStateKeys.Logout(requestId);
        if (await store.GetAsync(key, cancellationToken) is not { } entry || !(await store.CommitAsync(new StateTransaction().Expect(key, entry.Revision).Delete(key), cancellationToken)).Succeeded)
            return null;
        var logout = JsonSerializer.Deserialize(entry.Value.Span, SamlJson.Default.PendingLogout)!;
        return logout.ExpiresAt > time.GetUtcNow() ? logout : null;
    }

    public void Dispose() => _leases.Dispose();

    private static SamlSession Decode(StateEntry entry) => JsonSerializer.Deserialize(entry.Value.Span, SamlJson.Default.SamlSession)!;
}
