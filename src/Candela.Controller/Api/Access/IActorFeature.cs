using Candela.Identity.Administration;

namespace Candela.Controller.Api.Access;

/// <summary>A feature of a request: who sends it, as a front end has verified.</summary>
public interface IActorFeature
{
    /// <summary>Who.</summary>
    Actor Actor { get; }
}
