using Candela.Model;

namespace Candela.Controller.Api.Networks;

/// <summary>What the networks' handlers ask of requests.</summary>
internal static class NetworkRequests
{
    /// <summary>Path and body of a replacement mean the same.</summary>
    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public static void CheckName(string path, string body)
    {
        if (path != body)
            throw new CandelaException(ErrorCode.InvalidArgument, $"the path says '{path}', the body '{body}': a name cannot change");
    }
}
