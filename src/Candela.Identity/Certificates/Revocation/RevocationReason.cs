namespace Candela.Identity.Certificates.Revocation;

/// <summary>Why a certificate is revoked (CRLReason of RFC 5280, section 5.3.1), with its number there.</summary>
public enum RevocationReason
{
    /// <summary>Not said.</summary>
    Unspecified = 0,

    /// <summary>Someone else may have the private key.</summary>
    KeyCompromise = 1,

    /// <summary>Someone else may have the authority's private key.</summary>
    CaCompromise = 2,

    /// <summary>Names or other facts no longer hold.</summary>
    AffiliationChanged = 3,

    /// <summary>Another certificate takes its place.</summary>
    Superseded = 4,

    /// <summary>Its holder has ended, such as a container.</summary>
    CessationOfOperation = 5,

    /// <summary>Its holder may no longer have it.</summary>
    PrivilegeWithdrawn = 9,
}
