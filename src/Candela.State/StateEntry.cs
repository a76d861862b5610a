namespace Candela.State;

/// <summary>A document.</summary>
/// <param name="Key">Key.</param>
/// <param name="Value">Bytes.</param>
/// <param name="CreateRevision">Revision that made it.</param>
/// <param name="Revision">Revision that last changed it.</param>
/// <param name="LeaseId">Lease that holds it, or 0.</param>
public sealed record StateEntry(string Key, ReadOnlyMemory<byte> Value, long CreateRevision, long Revision, long LeaseId);

/// <summary>Part of a range.</summary>
/// <param name="Entries">In key order.</param>
/// <param name="Next">Where the next page goes on (pass it as <c>after</c>); null at the end.</param>
/// <param name="Revision">Revision of the store at the time of reading.</param>
public sealed record StatePage(IReadOnlyList<StateEntry> Entries, string? Next, long Revision);

/// <summary>A change of one key.</summary>
/// <param name="Revision">Revision of its transaction.</param>
/// <param name="Key">Key.</param>
/// <param name="Value">New value; null: deleted.</param>
public sealed record StateChange(long Revision, string Key, ReadOnlyMemory<byte>? Value);

/// <summary>A lease.</summary>
/// <param name="Id">Greater than 0.</param>
/// <param name="TimeToLive">How long it lives without renewal.</param>
public sealed record StateLease(long Id, TimeSpan TimeToLive);
