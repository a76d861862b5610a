namespace Candela.Model.Networking;

/// <summary>What holds where no policy decides.</summary>
public enum NetworkDefault
{
    /// <summary>Containers of one segment, and of segments with a declared route, may talk; to the outside, if the segment is not internal.</summary>
    Open,

    /// <summary>Nothing may talk; published ports need a policy, too.</summary>
    Closed,
}

/// <summary>A project's own settings of its networks.</summary>
public sealed record ProjectNetworking
{
    /// <summary>What holds where no policy decides.</summary>
    public required NetworkDefault Default { get; init; }

    /// <summary>Containers may talk to services of the host itself.</summary>
    public bool HostAccess { get; init; }
}
