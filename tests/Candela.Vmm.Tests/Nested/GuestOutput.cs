using System.Text;
using Candela.Guest.Protocol.Host;

namespace Candela.Vmm.Tests.Nested;

/// <summary>Collects what process 1 of a guest prints until it ends.</summary>
internal sealed class GuestOutput : IAgentEvents
{
    private readonly StringBuilder _text = new();
    private readonly TaskCompletionSource<ProcessExit> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> _firstLine = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The first line that it prints.</summary>
    public Task<string> FirstLineAsync() => _firstLine.Task.WaitAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);

    /// <summary>Its exit code and output.</summary>
    public async Task<(int Code, string Output)> EndAsync()
    {
        ProcessExit exit = await _exit.Task.WaitAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
        await _end.Task.WaitAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
        return (exit.Code, _text.ToString());
    }

    public ValueTask OnOutputAsync(uint process, OutputStream stream, ulong position, ReadOnlyMemory<byte> data)
    {
        if (stream != OutputStream.Stdout)
            return ValueTask.CompletedTask;
        if (data.IsEmpty)
            _end.TrySetResult();
        else
            _text.Append(Encoding.UTF8.GetString(data.Span));
        string text = _text.ToString();
        if (text.Contains('\n', StringComparison.Ordinal))
            _firstLine.TrySetResult(text[..text.IndexOf('\n', StringComparison.Ordinal)]);
        return ValueTask.CompletedTask;
    }

    public ValueTask OnExitAsync(uint process, ProcessExit exit)
    {
        _exit.TrySetResult(exit);
        return ValueTask.CompletedTask;
    }
}
