using Candela.Identity.Accounts;
using Candela.Identity.Ldap.Access;
using Candela.Identity.Ldap.Filters;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Server;
using Candela.Identity.Ldap.Tree;
using Candela.Identity.Ldif;

namespace Candela.Identity.Ldap.Search;

/// <summary>Searches (RFC 4511, 4.5).</summary>
internal sealed class SearchOperation(IDirectory directory, AttributeIndex index, ReadGuard guard, NodeFinder finder, ScanGate gate, TimeProvider time)
{
    /// <summary>Entries of a unit, above which looking at all of them takes its turn among others.</summary>
    private const int SmallCount = 1024;

    /// <summary>Nodes between looks at the clock.</summary>
    private const int ClockCount = 64;

    /// <summary>How long a search goes on before it lets others run.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(5);

    /// <summary>Searches, and writes what it finds.</summary>
    /// <exception cref="LdapException">It cannot be done.</exception>
    public async ValueTask<LdapAnswer> RunAsync(
        LdapSession session, LdapOperation operation, SearchRequest request, PageRequest? page, OutputQueue output, CancellationToken cancellationToken)
    {
        var current = directory.Current;
        var name = NodeFinder.Parse(request.BaseName);
        var filter = new FilterCompiler(current).Compile(request.Filter);
        var writer = new EntryWriter(output, operation.Id, new AttributeSelection(request.Attributes), request.TypesOnly);
        if (name.RelativeNames.Count == 0 && request.Scope == SearchScope.BaseObject)
            return Single(await RootAsync(session, current, cancellationToken), filter, writer);
        if (DirectoryTree.Find(current, name, out _) is { Kind: NodeKind.Subschema } subschema)
            return Single(subschema, filter, writer);
        var (node, view, _) = await finder.FindAsync(session, current, name, cancellationToken);
        var candidates = request.Scope == SearchScope.BaseObject ? null : filter.FindCandidates(new CandidateSource(index, current, node.Domain.Id));
        using var pass = IsLarge(node, request.Scope) && candidates is null ? await gate.EnterAsync(cancellationToken) : null;
        var run = new Run(view, filter, writer, output, time, request, page);
        return await run.RunAsync(NodeWalk.Walk(node, request.Scope, candidates, page?.Cookie?.After ?? NodePosition.Start), cancellationToken);
    }

    private static LdapAnswer Single(TreeNode node, MatchTerm filter, EntryWriter writer)
    {
        var match = new MatchContext().At(node, ReadLevel.Full);
        if (filter.Matches(match) == true)
            writer.Write(match);
        return LdapAnswer.Success;
    }

    private static bool IsLarge(TreeNode node, SearchScope scope) => scope != SearchScope.BaseObject && node.Kind switch
    {
        NodeKind.Domain => scope == SearchScope.WholeSubtree && DirectoryTree.Units.Any(unit => node.Directory.Count(node.Domain.Id, unit) > SmallCount),
        NodeKind.Unit => node.Directory.Count(node.Domain.Id, node.Unit) > SmallCount,
        _ => false,
    };

    private async ValueTask<TreeNode> RootAsync(LdapSession session, DirectorySnapshot current, CancellationToken cancellationToken)
    {
        var domains = session.FindAccount(current) is { } account ? await guard.DomainsAsync(current, account, cancellationToken) : [];
        return TreeNode.Of(current, new RootDse([.. domains.Select(DirectoryNames.Of)], session.Mechanisms));
    }

    /// <summary>One search under way.</summary>
    private sealed class Run(ReadView view, MatchTerm filter, EntryWriter writer, OutputQueue output, TimeProvider time, SearchRequest request, PageRequest? page)
    {
        private readonly MatchContext _match = new();
        private readonly long _started = time.GetTimestamp();
        private readonly TimeSpan _limit = TimeSpan.FromSeconds(
            request.TimeLimitSeconds is > 0 and < LdapLimits.SearchSeconds ? request.TimeLimitSeconds : LdapLimits.SearchSeconds);

        private long _sliceStarted = time.GetTimestamp();
        private int _returned;
        private NodePosition _last;

        public async ValueTask<LdapAnswer> RunAsync(IEnumerable<TreeNode> nodes, CancellationToken cancellationToken)
        {
            if (page is { Size: 0 })
                return new LdapAnswer(LdapResult.Success, PageRequest.Answer(null));
            int before = page?.Cookie?.Count ?? 0;
            int looked = 0;
            foreach (var node in nodes)
            {
                if (++looked % ClockCount == 0 && await IsOutOfTimeAsync(cancellationToken))
                    return new LdapResult(ResultCode.TimeLimitExceeded, $"the search took longer than {_limit.TotalSeconds} s: search by an indexed attribute, or page by page");
                var level = await view.LevelAsync(node, cancellationToken);
                if (level == ReadLevel.None || filter.Matches(_match.At(node, level)) != true)
                    continue;
                if (request.SizeLimit > 0 && before + _returned == request.SizeLimit)
                    return new LdapResult(ResultCode.SizeLimitExceeded);
                if (page is not null && _returned == Math.Min(page.Size, LdapLimits.EntryCount))
                    return new LdapAnswer(LdapResult.Success, PageRequest.Answer(new PageCookie(_last, before + _returned)));
                if (page is null && _returned == LdapLimits.EntryCount)
                    return new LdapResult(ResultCode.SizeLimitExceeded, $"a search returns at most {LdapLimits.EntryCount} entries: page through them (RFC 2696)");
                writer.Write(_match);
                _returned++;
                _last = NodePosition.Of(node);
                if (output.IsFull)
                    await output.FlushAsync();
            }

            return page is null ? LdapAnswer.Success : new LdapAnswer(LdapResult.Success, PageRequest.Answer(null));
        }

        private async ValueTask<bool> IsOutOfTimeAsync(CancellationToken cancellationToken)
        {
            if (time.GetElapsedTime(_started) > _limit)
                return true;
            if (time.GetElapsedTime(_sliceStarted) <= Slice)
                return false;
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            _sliceStarted = time.GetTimestamp();
            return false;
        }
    }
}
