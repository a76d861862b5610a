using Candela.Controller.Api.Http;
using Candela.Controller.Api.Identity;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Controller.Api.Networks;

/// <summary>What the networks' handlers ask of requests.</summary>
internal static class NetworkRequests
{
    extension(HttpContext http)
    {
        /// <summary>The caller, once it is sure that it may do something in its project.</summary>
        public Task<Caller> MayAsync(ResourceKind kind, Verb verb) => RequireAsync(http, kind, verb);
    }

    /// <summary>Path and body of a replacement mean the same.</summary>
    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public static void CheckName(string path, string body)
    {
        if (path != body)
            throw new CandelaException(ErrorCode.InvalidArgument, $"the path says '{path}', the body '{body}': a name cannot change");
    }

    private static async Task<Caller> RequireAsync(HttpContext http, ResourceKind kind, Verb verb)
    {
        Caller caller = http.Caller;
        await http.RequestServices.GetRequiredService<ApiRights>().RequireAsync(http.Actor, kind, verb, caller.Project, http.RequestAborted);
        return caller;
    }
}
