using Candela.Identity.SignIn.Pages;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.Saml.Http;

/// <summary>Whoever signs out at Candela itself is signed out of the service providers, too.</summary>
internal sealed class SamlSignOut(SingleLogout logout) : ISignOutRoute
{
    /// <inheritdoc/>
    public async Task<bool> TryAnswerAsync(HttpContext context, string sessionId, string? returnTo)
    {
        var answer = await logout.BeginAsync(sessionId, returnTo, context.RequestAborted);
        if (answer is SamlAnswer.SignedOut { IsPartial: false })
            return false;
        // Behind a form: browsers apply form-action to the redirects of its answer.
        if (answer is SamlAnswer.Redirect redirect)
            await HtmlPage.LeadOnAsync(context, "Signing out", redirect.Address);
        else
            await SamlEndpoints.AnswerAsync(context, answer);
        return true;
    }
}
