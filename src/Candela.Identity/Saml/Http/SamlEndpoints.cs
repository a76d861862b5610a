using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.Saml.Bindings;
using Candela.Identity.Saml.Keys;
using Candela.Identity.Saml.Metadata;
using Candela.Identity.SignIn.Pages;
using Candela.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Candela.Identity.Saml.Http;

/// <summary>What browsers ask of the identity provider.</summary>
internal sealed class SamlEndpoints(
    SingleSignOn signOn, SingleLogout logout, SamlSigningKeys keys, IDirectory directory, ProtocolAudit audit, SamlOptions options, TimeProvider time)
{
    private const string SignOnAction = "saml.sign-on";
    private const string LogoutAction = "saml.logout";
    private const int FormBytes = 4 * SamlLimits.MessageBytes;

    private static readonly FormOptions FormLimits = new()
    {
        ValueCountLimit = 8, KeyLengthLimit = 64, ValueLengthLimit = PostBinding.FieldLength, BufferBodyLengthLimit = FormBytes, MultipartBodyLengthLimit = 0,
    };

    /// <summary>GET /saml/metadata</summary>
    public async Task MetadataAsync(HttpContext context)
    {
        context.Response.ContentType = "application/samlmetadata+xml";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        await context.Response.WriteAsync(IdentityProviderMetadata.Write(options, keys.Published, keys.Current, time.GetUtcNow()), context.RequestAborted);
    }

    /// <summary>GET /saml/sso</summary>
    public Task GetSignOnAsync(HttpContext context) => RunAsync(context, SignOnAction, () => signOn.ReceiveAsync(RedirectBinding.Read(context.Request.QueryString.Value ?? ""), context.RequestAborted));

    /// <summary>POST /saml/sso</summary>
    public Task PostSignOnAsync(HttpContext context) => RunAsync(context, SignOnAction, async () => await signOn.ReceiveAsync(await ReadFormAsync(context), context.RequestAborted));

    /// <summary>GET /saml/sso/continue</summary>
    public Task ContinueSignOnAsync(HttpContext context) => RunAsync(context, SignOnAction, async () =>
    {
        var (answer, session, provider) = await signOn.ContinueAsync(context, context.Request.Query["request"], context.RequestAborted);
        if (session is not null)
            audit.Done(Actor.Of(session.Account, directory.Current.GetDomain(session.Account.DomainId)!, From(context)), SignOnAction, provider.Name);
        return answer;
    });

    /// <summary>GET /saml/slo</summary>
    public Task GetLogoutAsync(HttpContext context) => RunAsync(context, LogoutAction, () => logout.ReceiveAsync(RedirectBinding.Read(context.Request.QueryString.Value ?? ""), context.RequestAborted));

    /// <summary>POST /saml/slo</summary>
    public Task PostLogoutAsync(HttpContext context) => RunAsync(context, LogoutAction, async () => await logout.ReceiveAsync(await ReadFormAsync(context), context.RequestAborted));

    /// <summary>GET /saml/slo/continue</summary>
    public Task ContinueLogoutAsync(HttpContext context) => RunAsync(context, LogoutAction, () => logout.ContinueAsync(context, context.Request.Query["request"], context.RequestAborted));

    private async Task RunAsync(HttpContext context, string action, Func<Task<SamlAnswer>> call)
    {
        try
        {
            await AnswerAsync(context, await call());
        }
        catch (SamlException e)
        {
            audit.Refused(Actor.Unproven("browser", From(context)), action, "", e);
            await HtmlPage.WriteErrorAsync(context, StatusCodes.Status400BadRequest, "This did not work", $"The message of the program was refused: {e.Message}.");
        }
        catch (SamlRefusal e)
        {
            audit.Refused(Actor.Unproven("browser", From(context)), action, "", e);
            await HtmlPage.WriteErrorAsync(context, StatusCodes.Status403Forbidden, "No access", e.Message);
        }
        catch (CandelaException e)
        {
            audit.Refused(Actor.Unproven("browser", From(context)), action, "", e);
            await HtmlPage.WriteErrorAsync(context, StatusCodes.Status503ServiceUnavailable, "Not now", "The identity service cannot answer now. Try again in a moment.");
        }
    }

    /// <summary>Answers a request.</summary>
    public static async Task AnswerAsync(HttpContext context, SamlAnswer answer)
    {
        switch (answer)
        {
            case SamlAnswer.Redirect redirect:
                HtmlPage.Harden(context.Response);
                context.Response.StatusCode = StatusCodes.Status303SeeOther;
                context.Response.Headers.Location = redirect.Address;
                break;
            case SamlAnswer.Post post:
                await PostPage.WriteAsync(context, post);
                break;
            case SamlAnswer.SignedOut { ReturnTo: { } address, IsPartial: false }:
                await HtmlPage.LeadOnAsync(context, "Signed out", address);
                break;
            case SamlAnswer.SignedOut { IsPartial: var partial }:
                await HtmlPage.WriteAsync(context, "Signed out", partial
                    ? Html.Of($"""<p role="alert">You are signed out here, but not of every program that you have used: close the browser to be sure.</p>""")
                    : Html.Of($"""<p>You are signed out. <a href="/sign-in">Sign in</a></p>"""));
                break;
        }
    }

    private static async Task<IncomingMessage> ReadFormAsync(HttpContext context)
    {
        if (context.Request.ContentType?.Split(';')[0].Trim().Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) != true)
            throw new SamlException("a message is posted as application/x-www-form-urlencoded");
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = FormBytes;
        try
        {
            var form = await new FormFeature(context.Request, FormLimits).ReadFormAsync(context.RequestAborted);
            if (form.Any(field => field.Value.Count != 1))
                throw new SamlException("a field of the form is there twice");
            return PostBinding.Read(form["SAMLRequest"], form["SAMLResponse"], form["RelayState"]);
        }
        catch (Exception e) when (e is InvalidDataException or BadHttpRequestException)
        {
            throw new SamlException($"the form is malformed, or has more than {FormBytes} bytes", e);
        }
    }

    private static string From(HttpContext context) => context.Connection.RemoteIpAddress?.ToString() ?? "";
}
