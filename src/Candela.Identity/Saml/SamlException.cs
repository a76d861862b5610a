namespace Candela.Identity.Saml;

/// <summary>A message that is refused; the text says why, for the audit log and the person in front of the browser, and holds no secret.</summary>
internal sealed class SamlException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The browser brings a state that was not sealed here.</summary>
    public static SamlException StrangeAddress() => new("the address is not one that leads here: go back to the program that you want to use");
}
