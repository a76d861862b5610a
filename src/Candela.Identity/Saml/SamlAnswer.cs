using Candela.Identity.Saml.Bindings;

namespace Candela.Identity.Saml;

/// <summary>What the browser is to do next.</summary>
internal abstract record SamlAnswer
{
    private SamlAnswer()
    {
    }

    /// <summary>Go to an address.</summary>
    /// <param name="Address">Path of this server, or a signed message to a service provider.</param>
    public sealed record Redirect(string Address) : SamlAnswer;

    /// <summary>Post a message to a service provider.</summary>
    /// <param name="Destination">Where to.</param>
    /// <param name="Kind">Request or response.</param>
    /// <param name="Xml">The message.</param>
    /// <param name="RelayState">What goes with it; null: nothing.</param>
    public sealed record Post(string Destination, SamlMessageKind Kind, string Xml, string? RelayState) : SamlAnswer;

    /// <summary>Nothing more: the person is signed out.</summary>
    /// <param name="IsPartial">Of some programs perhaps not.</param>
    /// <param name="ReturnTo">Where to lead on; null: nowhere.</param>
    public sealed record SignedOut(bool IsPartial, string? ReturnTo = null) : SamlAnswer;
}
