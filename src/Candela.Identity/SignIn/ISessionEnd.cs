namespace Candela.Identity.SignIn;

/// <summary>Hears that a session has been ended, by whomever: not of one whose time is over.</summary>
internal interface ISessionEnd
{
    /// <summary>It has ended. What takes time is done afterwards.</summary>
    Task OnEndedAsync(string sessionId, CancellationToken cancellationToken);
}
