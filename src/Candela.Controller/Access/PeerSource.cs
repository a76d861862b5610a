namespace Candela.Controller.Access;

/// <summary>Who wants to talk, as a proxy knows it; the first that is there counts.</summary>
public sealed record PeerSource
{
    /// <summary>X.509-SVID in DER, whose key the source has proven to hold; it is verified to be one that counts.</summary>
    public ReadOnlyMemory<byte>? Certificate { get; init; }

    /// <summary>JWT-SVID for the target's SPIFFE ID as audience; it is verified.</summary>
    public string? Token { get; init; }

    /// <summary>SPIFFE ID that the proxy itself has verified.</summary>
    public string? Id { get; init; }
}
