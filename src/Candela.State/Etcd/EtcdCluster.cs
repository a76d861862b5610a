using System.Runtime.CompilerServices;
using Candela.State.Etcd.Messages;
using Google.Protobuf;

namespace Candela.State.Etcd;

/// <summary>
/// The members of an etcd cluster. Calls go to one of them until it fails, then to the next: losing a member costs a moment, no error.
/// </summary>
/// <param name="address">The members.</param>
/// <param name="patience">For so long other members are tried when one fails.</param>
internal sealed class EtcdCluster(EtcdAddress address, TimeSpan patience) : IDisposable
{
    /// <summary>An answer that takes longer is not waited for.</summary>
    private static readonly TimeSpan AttemptTime = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly GrpcClient _client = new(address);
    private int _preferred;

    /// <summary>Asks one member after another until one answers.</summary>
    /// <returns>The answer, and whether an attempt before it may have been carried out, too.</returns>
    /// <exception cref="StateStoreException">None answers, or the answer is an error.</exception>
    /// <exception cref="GrpcFailure">With one of the codes in <paramref name="expected"/>.</exception>
    public async Task<(T Response, bool IsRepeated)> CallAsync<T>(
        string method, IMessage request, MessageParser<T> parser, CancellationToken cancellationToken, params int[] expected)
        where T : IMessage<T>
    {
        var start = TimeProvider.System.GetTimestamp();
        var isRepeated = false;
        for (var pause = FirstPause; ; pause = pause + pause < LongestPause ? pause + pause : LongestPause)
        {
            var preferred = Volatile.Read(ref _preferred);
            GrpcFailure failure;
            using (var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
            {
                attempt.CancelAfter(AttemptTime);
                try
                {
                    return (await _client.CallAsync(Member(preferred), method, request, parser, attempt.Token), isRepeated);
                }
                catch (GrpcFailure e)
                {
                    failure = e;
                }
                catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
                {
                    failure = new GrpcFailure(GrpcFailure.Unavailable, $"no answer within {AttemptTime.TotalSeconds} s", wasSent: true, e);
                }
            }

            if (expected.Contains(failure.Status))
                throw failure;
            if (!IsPassing(failure))
                throw new StateStoreException($"the etcd cluster {address} refuses: {failure.Message}", failure);
            if (TimeProvider.System.GetElapsedTime(start) > patience)
                throw new StateStoreException($"no member of the etcd cluster {address} answers: {failure.Message}", failure);
            isRepeated |= failure.WasSent;
            MoveOn(preferred);
            await Task.Delay(pause, cancellationToken);
        }
    }

    /// <summary>What happens to keys, from a revision on, over whichever member answers; ends only when cancelled.</summary>
    /// <param name="key">First key.</param>
    /// <param name="end">Key after the last.</param>
    /// <param name="revision">etcd's revision to begin with.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="StateStoreException">The cluster refuses.</exception>
    public async IAsyncEnumerable<WatchResponse> WatchAsync(ByteString key, ByteString end, long revision, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        while (true)
        {
            var preferred = Volatile.Read(ref _preferred);
            var request = new WatchRequest { CreateRequest = new WatchCreateRequest { Key = key, RangeEnd = end, StartRevision = revision } };
            await using var responses = _client.StreamAsync(Member(preferred), "/etcdserverpb.Watch/Watch", request, WatchResponse.Parser, cancellationToken)
                .GetAsyncEnumerator(cancellationToken);
            while (await NextAsync(responses) is { } response)
            {
                pause = FirstPause;
                // Without fragments, which are not asked for, all that one revision did is in one response.
                if (response.Events.Count > 0)
                    revision = response.Events[^1].Kv.ModRevision + 1;
                yield return response;
            }

            MoveOn(preferred);
            await Task.Delay(pause, cancellationToken);
            pause = pause + pause < LongestPause ? pause + pause : LongestPause;
        }
    }

    public void Dispose() => _client.Dispose();

    /// <summary>The next response; null: this member does not go on, another may.</summary>
    private async Task<WatchResponse?> NextAsync(IAsyncEnumerator<WatchResponse> responses)
    {
        try
        {
            if (!await responses.MoveNextAsync())
                return null;
            var response = responses.Current;
            return response is { Canceled: true, CompactRevision: 0 } ? null : response;
        }
        catch (GrpcFailure e) when (IsPassing(e))
        {
            return null;
        }
        catch (GrpcFailure e)
        {
            throw new StateStoreException($"the etcd cluster {address} refuses: {e.Message}", e);
        }
    }

    private static bool IsPassing(GrpcFailure failure) =>
        failure.Status == GrpcFailure.Unavailable ||
        (failure.Status == GrpcFailure.ResourceExhausted && failure.Message.Contains("too many requests", StringComparison.Ordinal));

    private Uri Member(int number) => address.Endpoints[number % address.Endpoints.Count];

    private void MoveOn(int from) => Interlocked.CompareExchange(ref _preferred, from + 1, from);
}
