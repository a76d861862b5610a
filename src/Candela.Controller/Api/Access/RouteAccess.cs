using Candela.Identity.Authorization;

namespace Candela.Controller.Api.Access;

/// <summary>Who decides about the calls of a route.</summary>
public enum AccessDecision
{
    /// <summary>Nobody: whoever can be named as a caller may call.</summary>
    Everyone,

    /// <summary>The call itself brings the proof, such as a password.</summary>
    Own,

    /// <summary>The service behind it, which knows the resource; the permission says what it asks for.</summary>
    Service,

    /// <summary>The front end, at the endpoint's project.</summary>
    Project,

    /// <summary>The front end, at the system.</summary>
    System,
}

/// <summary>What a route asks of its callers. Every route declares one; a route without any is not served.</summary>
/// <param name="Decision">Who decides.</param>
/// <param name="Permission">What is asked for; null: nothing.</param>
public sealed record RouteAccess(AccessDecision Decision, Permission? Permission)
{
    /// <summary>Whoever can be named as a caller.</summary>
    public static readonly RouteAccess Everyone = new(AccessDecision.Everyone, null);

    /// <summary>The call itself brings the proof.</summary>
    public static readonly RouteAccess Own = new(AccessDecision.Own, null);

    /// <summary>The service behind the route asks for this.</summary>
    public static RouteAccess Service(ResourceKind kind, Verb verb) => new(AccessDecision.Service, new Permission(kind, verb));

    /// <summary>The front end asks for this at its project.</summary>
    public static RouteAccess Project(ResourceKind kind, Verb verb) => new(AccessDecision.Project, new Permission(kind, verb));

    /// <summary>The front end asks for this at the system.</summary>
    public static RouteAccess System(ResourceKind kind, Verb verb) => new(AccessDecision.System, new Permission(kind, verb));
}
