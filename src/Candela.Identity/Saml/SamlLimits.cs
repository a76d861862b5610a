namespace Candela.Identity.Saml;

/// <summary>Bounds of what is read and written.</summary>
internal static class SamlLimits
{
    /// <summary>Largest protocol message, bytes of XML, after inflating.</summary>
    public const int MessageBytes = 64 * 1024;

    /// <summary>Largest metadata file of a service provider, bytes.</summary>
    public const int MetadataBytes = 512 * 1024;

    /// <summary>Deepest nesting of elements: canonicalization recurses.</summary>
    public const int DepthMaximum = 32;

    /// <summary>Most nodes of a document, attributes included.</summary>
    public const int NodeCount = 20_000;

    /// <summary>Most attributes of an element.</summary>
    public const int AttributeCount = 64;

    /// <summary>Longest query string, characters.</summary>
    public const int QueryLength = 16 * 1024;

    /// <summary>Longest RelayState, bytes: the specification says 80, service providers do not keep to it.</summary>
    public const int RelayStateBytes = 1024;

    /// <summary>Longest address and entity id (saml-core-2.0-os, 8.3.6), characters.</summary>
    public const int AddressLength = 1024;

    /// <summary>Longest ID of a message, characters.</summary>
    public const int IdLength = 256;

    /// <summary>Longest name identifier (saml-core-2.0-os, 8.3.7), characters.</summary>
    public const int NameIdLength = 256;

    /// <summary>Most keys, addresses or attributes of a service provider, each.</summary>
    public const int ListCount = 16;

    /// <summary>Most service providers that one sign-in session reaches.</summary>
    public const int ParticipantCount = 64;

    /// <summary>Fewest bits of a service provider's RSA key.</summary>
    public const int KeyBitsMinimum = 2048;

    /// <summary>Most bits of a service provider's RSA key: verification takes time that grows with their square.</summary>
    public const int KeyBitsMaximum = 8192;
}
