namespace Candela.Controller.Access;

/// <summary>Whether one workload may talk to another.</summary>
/// <param name="Source">SPIFFE ID of who wants to.</param>
/// <param name="Target">SPIFFE ID of whom it wants to talk to.</param>
/// <param name="Allowed">It may.</param>
/// <param name="Explanation">Why.</param>
public sealed record PeerDecision(string Source, string Target, bool Allowed, string Explanation);
