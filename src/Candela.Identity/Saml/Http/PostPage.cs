using System.Security.Cryptography;
using System.Text;
using Candela.Identity.Saml.Bindings;
using Candela.Identity.SignIn.Pages;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.Saml.Http;

/// <summary>A page that posts a message to a service provider: by itself, or without script by a button.</summary>
internal static class PostPage
{
    private const string Script = "document.forms[0].submit()";

    private static readonly string ScriptHash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Script)));

    public static async Task WriteAsync(HttpContext context, SamlAnswer.Post message)
    {
        var response = context.Response;
        HtmlPage.Harden(response);
        response.ContentType = "text/html; charset=utf-8";
        // The form goes to this one address, but where its answer leads is the service provider's business, and browsers check that, too.
        response.Headers.ContentSecurityPolicy = $"default-src 'none'; script-src 'sha256-{ScriptHash}'; frame-ancestors 'none'; base-uri 'none'";
        var relay = message.RelayState is { } state ? Html.Hidden("RelayState", state) : Html.Empty;
        var page = Html.Of($"""
            <!DOCTYPE html>
            <html lang="en">
            <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Going on – Candela</title></head>
            <body><main><form method="post" action="{message.Destination}">{Html.Hidden(PostBinding.ParameterOf(message.Kind), PostBinding.Write(message.Xml))}{relay}
            <p>You are led on.</p><button>Go on</button></form></main>
            """);
        await response.WriteAsync($"{page}<script>{Script}</script></body></html>\n", context.RequestAborted);
    }
}
