using System.Text;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.Passkeys.Pages;

/// <summary>The one script of identity's pages: asks the browser for a passkey and puts the answer into the form.</summary>
internal static class PasskeyScript
{
    public const string Path = "/passkeys.js";

    private static readonly byte[] Text = Encoding.UTF8.GetBytes("""
        "use strict";
        for (const form of document.querySelectorAll("form[data-passkey]")) {
          const problem = form.querySelector("[role=alert]");
          if (!window.PublicKeyCredential || !PublicKeyCredential.parseCreationOptionsFromJSON) {
            problem.textContent = "This browser cannot use passkeys.";
            continue;
          }
          form.querySelector("button").disabled = false;
          form.addEventListener("submit", async event => {
            if (form.elements.credential.value) return;
            event.preventDefault();
            problem.textContent = "";
            try {
              const options = JSON.parse(form.dataset.options);
              const credential = form.dataset.passkey === "create"
                ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
                : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
              form.elements.credential.value = JSON.stringify(credential.toJSON());
              form.submit();
            } catch (error) {
              problem.textContent = "That did not work (" + error.name + "). Try again, or sign in with your password.";
            }
          });
        }
        """);

    public static async Task WriteAsync(HttpContext context)
    {
        context.Response.ContentType = "text/javascript; charset=utf-8";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.CacheControl = "max-age=300";
        await context.Response.Body.WriteAsync(Text, context.RequestAborted);
    }
}
