using Microsoft.AspNetCore.Http;

namespace Candela.Identity.SignIn.Pages;

/// <summary>Leads the browser of whoever has signed out past others that must hear of it.</summary>
internal interface ISignOutRoute
{
    /// <summary>Answers the request, if there is anywhere to lead to.</summary>
    /// <param name="context">Request.</param>
    /// <param name="sessionId">Session that has ended.</param>
    /// <param name="returnTo">Where to lead in the end; null: to a page that says so.</param>
    /// <returns>False: there is nobody to tell, and the request has not been answered.</returns>
    Task<bool> TryAnswerAsync(HttpContext context, string sessionId, string? returnTo);
}
