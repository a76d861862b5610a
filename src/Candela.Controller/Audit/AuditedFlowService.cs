using Candela.Controller.Networks.Flows;
using Candela.Model.Networking;

namespace Candela.Controller.Audit;

/// <summary>Records every reading of the flow log.</summary>
internal sealed class AuditedFlowService(FlowService inner, AuditLog audit) : IFlowService
{
    public IAsyncEnumerable<FlowRecord> ReadAsync(Caller caller, FlowQuery query, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "flow.read", query.Container ?? "", () => inner.ReadAsync(caller, query, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<FlowCounter>> CountAsync(Caller caller, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "flow.count", "", () => inner.CountAsync(caller, cancellationToken));
}
