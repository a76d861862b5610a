using Microsoft.Extensions.Logging;

namespace Candela.Identity.Administration;

/// <summary>The audit of a process that keeps no audit log of its own: the log.</summary>
internal sealed partial class LoggedAudit(ILogger<LoggedAudit> logger) : IAuditSink
{
    public void Record(AuditRecord record) => Log.Done(logger, record.Actor.Name, record.Actor.From, record.Action, record.Target, record.Failure?.Message ?? "ok");

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "audit: {Actor} from {From}: {Action} {Target}: {Outcome}")]
        public static partial void Done(ILogger logger, string actor, string from, string action, string target, string outcome);
    }
}
