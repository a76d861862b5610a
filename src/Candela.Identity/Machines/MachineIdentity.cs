namespace Candela.Identity.Machines;

/// <summary>A machine that has proved itself by its certificate.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Entry">Its entry in the directory.</param>
/// <param name="NotAfter">Until when its certificate is valid.</param>
public sealed record MachineIdentity(string Name, Guid Entry, DateTimeOffset NotAfter);
