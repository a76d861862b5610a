namespace Candela.Storage;

/// <summary>Who attaches volumes.</summary>
/// <param name="Name">For messages: for example <c>container web</c>.</param>
/// <param name="IsEnding">It will let go by itself soon: others wait for it instead of failing.</param>
public sealed record VolumeHolder(string Name, Func<bool> IsEnding);
