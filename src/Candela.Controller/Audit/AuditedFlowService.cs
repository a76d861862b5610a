using System.Runtime.CompilerServices;
using Candela.Controller.Access;
using Candela.Controller.Networks.Flows;
using Candela.Identity.Authorization;
using Candela.Model.Networking;

namespace Candela.Controller.Audit;

/// <summary>Asks of every reading of the flow log whether its caller may, and records it.</summary>
internal sealed class AuditedFlowService(FlowService inner, AccessControl access, AuditLog audit) : IFlowService
{
    public IAsyncEnumerable<FlowRecord> ReadAsync(Caller caller, FlowQuery query, CancellationToken cancellationToken)
    {
        return audit.RunAsync(caller, "flow.read", query.Container ?? "", () => ReadAllAsync(cancellationToken), cancellationToken);

        async IAsyncEnumerable<FlowRecord> ReadAllAsync([EnumeratorCancellation] CancellationToken token)
        {
            await access.RequireAsync(caller, ResourceKind.NetworkPolicy, Verb.Get, token);
            await foreach (var record in inner.ReadAsync(caller, query, token).WithCancellation(token))
                yield return record;
        }
    }

    public Task<IReadOnlyList<FlowCounter>> CountAsync(Caller caller, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "flow.count", "", async () =>
        {
            await access.RequireAsync(caller, ResourceKind.NetworkPolicy, Verb.Get, cancellationToken);
            return await inner.CountAsync(caller, cancellationToken);
        });
}
