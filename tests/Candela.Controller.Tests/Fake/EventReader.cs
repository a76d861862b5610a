namespace Candela.Controller.Tests.Fake;

/// <summary>Reads events as they come.</summary>
internal sealed class EventReader : IAsyncDisposable
{
    private readonly IAsyncEnumerator<ResourceEvent> _events;
    private Task<bool> _next;

    public EventReader(IContainerService containers, DateTimeOffset? since = null)
    {
        _events = containers.ReadEventsAsync(TestCalls.Alice, since, null, TestContext.Current.CancellationToken).GetAsyncEnumerator();
        _next = _events.MoveNextAsync().AsTask();
    }

    public async Task<ResourceEvent> NextAsync()
    {
        Assert.True(await _next.WaitAsync(TestCalls.Patience));
        var result = _events.Current;
        _next = _events.MoveNextAsync().AsTask();
        return result;
    }

    /// <summary>Actions up to and with this one.</summary>
    public async Task<IReadOnlyList<string>> UntilAsync(string action)
    {
        var seen = new List<string>();
        do
        {
            seen.Add((await NextAsync()).Action);
        }
        while (seen[^1] != action);
        return seen;
    }

    public async ValueTask DisposeAsync()
    {
        if (_next.IsCompleted)
            await _events.DisposeAsync();
    }
}
