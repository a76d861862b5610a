namespace Candela.Images.Tests.Registry;

/// <summary>Keeps what progress was reported, in order.</summary>
internal sealed class ProgressLog : IProgress<long>
{
    public List<long> Values { get; } = [];

    public void Report(long value) => Values.Add(value);
}
