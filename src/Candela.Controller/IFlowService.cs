using Candela.Model;
using Candela.Model.Networking;

namespace Candela.Controller;

/// <summary>Who talked to whom in a project, and what was dropped. Failures are <see cref="CandelaException"/>s.</summary>
public interface IFlowService
{
    /// <summary>Entries of the flow log, oldest first: those that are kept and, if asked for, those to come. NotFound: the container; InvalidArgument.</summary>
    IAsyncEnumerable<FlowRecord> ReadAsync(Caller caller, FlowQuery query, CancellationToken cancellationToken);

    /// <summary>Packets and bytes by policy and reason, since the project has networks on this machine.</summary>
    Task<IReadOnlyList<FlowCounter>> CountAsync(Caller caller, CancellationToken cancellationToken);
}
