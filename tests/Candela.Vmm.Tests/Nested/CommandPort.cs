using System.Text;

namespace Candela.Vmm.Tests.Nested;

/// <summary>Gives commands to a candela-vmm through its control port.</summary>
internal sealed class CommandPort(Stream stream) : IDisposable
{
    private readonly StreamReader _answers = new(stream);

    /// <summary>Gives one and returns the answer's line.</summary>
    public async Task<string> AskAsync(string command)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(command + "\n"), TestContext.Current.CancellationToken);
        return await _answers.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken) ?? "";
    }

    public void Dispose() => _answers.Dispose();
}
