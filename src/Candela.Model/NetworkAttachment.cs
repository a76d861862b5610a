namespace Candela.Model;

/// <summary>A network that a container is to be connected to, and how. What is null is chosen.</summary>
public sealed record NetworkAttachment
{
    /// <summary>Name or id of the network.</summary>
    public required string Network { get; init; }

    /// <summary>Names in the network besides the container's own.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>IPv4 address.</summary>
    public string? Ipv4Address { get; init; }

    /// <summary>IPv6 address.</summary>
    public string? Ipv6Address { get; init; }

    /// <summary>MAC, as 02:cd:00:00:00:01.</summary>
    public string? MacAddress { get; init; }

    /// <summary>Other containers of the network by names of the container's choice, as <c>container:name</c>.</summary>
    public IReadOnlyList<string> Links { get; init; } = [];
}
