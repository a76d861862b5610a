using System.Globalization;
using Candela.Identity.Administration;

namespace Candela.Identity.Auditing;

/// <summary>
/// Keeps what comes in over protocols that anyone can speak. Refusals are kept up to a rate, lest a flood of them push everything else out of
/// the audit log; the next record tells how many were left out.
/// </summary>
internal sealed class ProtocolAudit(IAuditSink sink, TimeProvider time)
{
    /// <summary>Refusals that are kept at once.</summary>
    public const int BurstCount = 100;

    /// <summary>Refusals that are kept in a second, on average.</summary>
    public const int RatePerSecond = 10;

    private readonly Lock _gate = new();
    private double _allowance = BurstCount;
    private long _last = time.GetTimestamp();
    private long _omitted;

    /// <summary>Something was done.</summary>
    public void Done(Actor actor, string action, string target) => sink.Record(new AuditRecord(actor, action, target, null, TimeSpan.Zero));

    /// <summary>Something was refused.</summary>
    public void Refused(Actor actor, string action, string target, Exception reason)
    {
        long omitted;
        lock (_gate)
        {
            var now = time.GetTimestamp();
            _allowance = Math.Min(BurstCount, _allowance + time.GetElapsedTime(_last, now).TotalSeconds * RatePerSecond);
            _last = now;
            if (_allowance < 1)
            {
                _omitted++;
                return;
            }

            _allowance--;
            (omitted, _omitted) = (_omitted, 0);
        }

        var more = omitted == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" (before it, {omitted} refusals that were not kept)");
        sink.Record(new AuditRecord(actor, action, target + more, reason, TimeSpan.Zero));
    }
}
