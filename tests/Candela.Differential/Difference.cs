namespace Candela.Differential;

/// <summary>One thing in which the engines differ.</summary>
/// <param name="Place">Where: <c>SCENARIO output</c>, <c>SCENARIO error</c>, <c>SCENARIO code</c>, <c>inspect PATH</c> or <c>SCENARIO PATH</c>.</param>
/// <param name="Step">The command.</param>
/// <param name="Docker">What dockerd does.</param>
/// <param name="Candela">What Candela does.</param>
internal sealed record Difference(string Place, string Step, string Docker, string Candela);
