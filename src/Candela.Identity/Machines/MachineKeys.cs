namespace Candela.Identity.Machines;

/// <summary>Where machines' documents are in the state store.</summary>
internal static class MachineKeys
{
    public const string Tokens = "/identity/machines/tokens/";
    public const string Joined = "/identity/machines/joined/";

    public static string Token(string id) => Tokens + id;

    public static string Machine(string name) => Joined + name;
}
