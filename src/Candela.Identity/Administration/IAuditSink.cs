namespace Candela.Identity.Administration;

/// <summary>Where is kept who did what, with which outcome.</summary>
public interface IAuditSink
{
    /// <summary>Keeps a record; to be called before the caller learns of the outcome.</summary>
    void Record(AuditRecord record);
}

/// <summary>Who did what.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Action">For example <c>user.create</c>.</param>
/// <param name="Target">What it was done to, or where; never a secret.</param>
/// <param name="Failure">How it failed; null: it was done.</param>
/// <param name="Duration">How long it took.</param>
public sealed record AuditRecord(Actor Actor, string Action, string Target, Exception? Failure, TimeSpan Duration);
