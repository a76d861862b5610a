using System.Threading.Channels;

namespace Candela.Controller.Api.Streams;

/// <summary>
/// Carries what a piece of work reports, from whatever thread, to whoever sends it. When the receiver is slow the oldest messages
/// are dropped: progress is worth its newest only.
/// </summary>
/// <typeparam name="T">A message.</typeparam>
public sealed class MessageRelay<T>
{
    private const int MessagesMaximum = 1024;

    private readonly Channel<T> _messages = Channel.CreateBounded<T>(
        new BoundedChannelOptions(MessagesMaximum) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });

    /// <summary>Adds a message; never waits.</summary>
    public void Report(T message) => _messages.Writer.TryWrite(message);

    /// <summary>Runs the work, sends what it reports, and ends as the work does. A send that fails does not end the work.</summary>
    /// <param name="work">The work.</param>
    /// <param name="send">Sends a message; the second argument tells that no other waits.</param>
    public async Task RunAsync(Func<Task> work, Func<T, bool, Task> send)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentNullException.ThrowIfNull(send);
        var working = WorkAsync(work);
        try
        {
            while (await _messages.Reader.WaitToReadAsync())
            {
                while (_messages.Reader.TryRead(out var message))
                    await send(message, !_messages.Reader.TryPeek(out _));
            }
        }
        finally
        {
            await working;
        }
    }

    private async Task WorkAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        finally
        {
            _messages.Writer.Complete();
        }
    }
}
