namespace Candela.Controller.Api;

/// <summary>What the REST endpoint serves, and its limits.</summary>
public sealed class ControllerApiOptions
{
    /// <summary>Project whose containers this endpoint shows.</summary>
    public string Project { get; set; } = "default";

    /// <summary>Largest JSON body, bytes.</summary>
    public int JsonBytesMaximum { get; set; } = 4 * 1024 * 1024;
}
