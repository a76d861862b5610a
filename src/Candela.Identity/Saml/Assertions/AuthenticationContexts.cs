namespace Candela.Identity.Saml.Assertions;

/// <summary>How somebody has signed in, in SAML's words (saml-authn-context-2.0-os, 3.4).</summary>
internal static class AuthenticationContexts
{
    /// <summary>The class to name; null: what was asked for has not been done.</summary>
    /// <param name="requested">Classes that will do, the preferred one first; empty: any.</param>
    /// <param name="methods">Authentication method references (RFC 8176) of the sign-in.</param>
    public static string? Choose(IReadOnlyList<string> requested, IReadOnlyList<string> methods)
    {
        var done = new List<string>();
        if (methods.Contains("mfa"))
            done.Add(SamlNames.MultiFactorContext);
        if (methods.Contains("pwd"))
            done.AddRange([SamlNames.ProtectedPasswordContext, SamlNames.PasswordContext]);
        done.Add(SamlNames.UnspecifiedContext);
        return requested.Count == 0 ? done[0] : requested.FirstOrDefault(done.Contains);
    }
}
