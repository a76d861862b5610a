using System.Collections.Concurrent;
using Candela.Identity.Administration;

namespace Candela.Identity.Tests.Tools;

/// <summary>Keeps what was recorded.</summary>
internal sealed class RecordedAudit : IAuditSink
{
    private readonly ConcurrentQueue<AuditRecord> _records = new();

    public IEnumerable<AuditRecord> Records => _records;

    public void Record(AuditRecord record) => _records.Enqueue(record);
}
