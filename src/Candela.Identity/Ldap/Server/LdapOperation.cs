namespace Candela.Identity.Ldap.Server;

/// <summary>An operation under way.</summary>
/// <param name="id">Number of its request.</param>
internal sealed class LdapOperation(int id) : IDisposable
{
    private readonly CancellationTokenSource _abandoning = new();

    /// <summary>Number of its request.</summary>
    public int Id => id;

    /// <summary>It is to end without an answer.</summary>
    public bool IsAbandoned => _abandoning.IsCancellationRequested;

    /// <summary>Cancelled when it is abandoned.</summary>
    public CancellationToken Abandoned => _abandoning.Token;

    /// <summary>Ends it, soon and without an answer.</summary>
    public void Abandon() => _abandoning.Cancel();

    public void Dispose() => _abandoning.Dispose();
}
