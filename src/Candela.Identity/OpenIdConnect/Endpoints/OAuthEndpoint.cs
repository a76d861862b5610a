using System.Text.Json;
using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.SignIn.Pages;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.OpenIdConnect.Endpoints;

/// <summary>What endpoints for programs have in common: forms in, JSON out, errors of the protocol, audit.</summary>
internal sealed class OAuthEndpoint(ClientAuthenticator authenticator, ProtocolAudit audit)
{
    /// <summary>Answers a client that has proven who it is.</summary>
    public async Task RunAsync(HttpContext context, string action, Func<OAuthClient, IFormCollection, Task<string>> call)
    {
        OAuthClient? client = null;
        await RunAsync(context, action, () => Actor.Unproven(client?.Id ?? "", FromOf(context)), async form =>
        {
            client = await authenticator.AuthenticateAsync(context, form, context.RequestAborted);
            return await call(client, form);
        });
    }

    /// <summary>Answers whoever asks; the call says for the audit log what was done.</summary>
    public async Task RunAsync(HttpContext context, string action, Func<Actor> actor, Func<IFormCollection, Task<string>> call)
    {
        HtmlPage.Harden(context.Response);
        try
        {
            var form = await Forms.ReadAsync(context) ??
                throw OAuthException.InvalidRequest("the request is no form (application/x-www-form-urlencoded), too large, or has a parameter twice");
            var target = await call(form);
            audit.Done(actor(), action, target);
        }
        catch (OAuthException e)
        {
            if (!e.IsPending)
                audit.Refused(actor(), action, e.Error, e.ForAudit());
            await WriteErrorAsync(context, e);
        }
    }

    /// <summary>An answer in JSON.</summary>
    public static async Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> members, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await using (var writer = new Utf8JsonWriter(context.Response.BodyWriter))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>Where a request comes from, for the audit log.</summary>
    public static string FromOf(HttpContext context) => context.Connection.RemoteIpAddress?.ToString() ?? "";

    private static Task WriteErrorAsync(HttpContext context, OAuthException error)
    {
        if (error.Status == StatusCodes.Status401Unauthorized)
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"candela\", charset=\"UTF-8\"";
        return WriteAsync(
            context,
            writer =>
            {
                writer.WriteString("error", error.Error);
                writer.WriteString("error_description", error.Message);
            },
            error.Status);
    }
}
