using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.SignIn.Pages;

/// <summary>The frame of all pages: plain, accessible HTML that works without script, and headers that allow no more than it needs.</summary>
public static class HtmlPage
{
    private const string Style = """
        :root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}
        body{margin:0;display:grid;min-height:100vh;place-items:center}
        main{box-sizing:border-box;width:100%;max-width:26rem;padding:1.5rem}
        h1{font-size:1.5rem;margin:0 0 1rem}
        label{display:block;margin:1rem 0 .25rem}
        input:not([type=hidden]){box-sizing:border-box;width:100%;padding:.5rem;font:inherit}
        button{margin:1.25rem .75rem 0 0;padding:.5rem 1.25rem;font:inherit}
        [role=alert]{border-left:.25rem solid #b00020;padding:.25rem .75rem}
        """;

    private static readonly string Policy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

    /// <summary>Answers with a page.</summary>
    /// <param name="context">Request.</param>
    /// <param name="title">Title and heading.</param>
    /// <param name="content">What is below the heading.</param>
    /// <param name="status">HTTP status.</param>
    /// <param name="head">What more there is in the head.</param>
    /// <param name="hasScript">Scripts of this server may run.</param>
    public static async Task WriteAsync(HttpContext context, string title, Html content, int status = StatusCodes.Status200OK, Html? head = null, bool hasScript = false)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.Headers.ContentSecurityPolicy = hasScript ? Policy + "; script-src 'self'" : Policy;
        Harden(response);
        var page = Html.Of($"""
            <!DOCTYPE html>
            <html lang="en">
            <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title} – Candela</title>{head ?? Html.Empty}
            <style>
            """);
        await response.WriteAsync($"{page}{Style}</style></head>\n<body><main><h1>{Html.Of($"{title}")}</h1>\n{content}\n</main></body></html>\n", context.RequestAborted);
    }

    /// <summary>
    /// Leads on to an address after a form: by a page, as browsers apply <c>form-action</c> to the redirects of a form's answer, too.
    /// </summary>
    /// <param name="context">Request.</param>
    /// <param name="title">What has been done.</param>
    /// <param name="address">Where to; the caller has made sure that it is allowed.</param>
    public static Task LeadOnAsync(HttpContext context, string title, string address) => WriteAsync(
        context, title, Html.Of($"""<p><a href="{address}">Go on</a></p>"""), head: Html.Of($"""<meta http-equiv="refresh" content="0;url={address}">"""));

    /// <summary>Says that something is wrong, and what to do.</summary>
    public static Task WriteErrorAsync(HttpContext context, int status, string title, string text) =>
        WriteAsync(context, title, Html.Of($"""<p role="alert">{text}</p>"""), status);

    /// <summary>Headers of every answer of identity's that is no page, too: nothing is kept, framed or told to other sites.</summary>
    public static void Harden(HttpResponse response)
    {
        var headers = response.Headers;
        headers.CacheControl = "no-store";
        headers.Pragma = "no-cache";
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        // With no-referrer, browsers would send "Origin: null" with our own forms.
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
    }
}
