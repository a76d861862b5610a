namespace Candela.Identity.Certificates;

/// <summary>A certificate as its holder's document names it, so that it can be revoked with its holder.</summary>
/// <param name="Authority">Who issued it.</param>
/// <param name="Serial">Serial number.</param>
/// <param name="NotAfter">When it expires.</param>
internal sealed record HeldCertificate(string Authority, string Serial, DateTimeOffset NotAfter)
{
    /// <summary>Those that have not expired, and one more.</summary>
    public static IReadOnlyList<HeldCertificate> With(IEnumerable<HeldCertificate> held, IssuedCertificate issued, DateTimeOffset now) =>
        [.. held.Where(c => c.NotAfter > now), new HeldCertificate(issued.Authority, issued.Serial, issued.NotAfter)];
}
