using System.Text.Json;
using Candela.State;

namespace Candela.Controller.Storage;

/// <summary>Events in the state store: one document for those of a transaction; the oldest documents go when there are too many events.</summary>
internal sealed class EventChunks(int historyCount)
{
    private readonly Queue<(long FirstSequence, int Count)> _chunks = new();
    private int _total;
    private int _dropping;

    /// <summary>Reads a document at the start.</summary>
    public IReadOnlyList<StoredEvent> Load(ReadOnlyMemory<byte> document)
    {
        var events = JsonSerializer.Deserialize(document.Span, ControllerJson.Default.StoredEventArray) ?? [];
        Committed(events);
        return events;
    }

    /// <summary>Adds events, and the deletion of what they push out, to a transaction.</summary>
    public void Add(StateTransaction transaction, IReadOnlyList<StoredEvent> events)
    {
        _dropping = 0;
        if (events.Count == 0)
            return;
        transaction.Put(
            StateKeys.EventChunk(events[0].Event.Sequence),
            JsonSerializer.SerializeToUtf8Bytes([.. events], ControllerJson.Default.StoredEventArray));
        var total = _total + events.Count;
        foreach (var (first, count) in _chunks)
        {
            if (total - count < historyCount || _dropping == DropCount)
                break;
            transaction.Delete(StateKeys.EventChunk(first));
            total -= count;
            _dropping++;
        }
    }

    /// <summary>The transaction succeeded.</summary>
    public void Committed(IReadOnlyList<StoredEvent> events)
    {
        for (; _dropping > 0; _dropping--)
            _total -= _chunks.Dequeue().Count;
        if (events.Count == 0)
            return;
        _chunks.Enqueue((events[0].Event.Sequence, events.Count));
        _total += events.Count;
    }

    /// <summary>Most deletions of one transaction.</summary>
    private const int DropCount = 64;
}
