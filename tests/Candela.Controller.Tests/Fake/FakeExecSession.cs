using System.Runtime.CompilerServices;
using System.Text;
using Candela.Model;

namespace Candela.Controller.Tests.Fake;

/// <summary>An exec that prints and ends, or never does.</summary>
internal sealed class FakeExecSession((int? Code, string Output) process, Action<int> end) : IProcessSession
{
    public bool Tty => false;

    public async IAsyncEnumerable<OutputChunk> ReadOutputAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return new OutputChunk(false, Encoding.UTF8.GetBytes(process.Output));
        if (process.Code is { } code)
            end(code);
        else
            await Task.Delay(Timeout.Infinite, cancellationToken);
    }

    public ValueTask WriteInputAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask CloseInputAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
