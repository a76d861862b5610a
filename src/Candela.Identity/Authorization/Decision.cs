using Candela.Identity.Accounts;

namespace Candela.Identity.Authorization;

/// <summary>Why something is allowed or denied.</summary>
public enum DecisionReason
{
    /// <summary>No binding allows it.</summary>
    NoBinding,

    /// <summary>A binding allows it.</summary>
    Binding,

    /// <summary>No such account, or it is a group.</summary>
    UnknownSubject,

    /// <summary>The account or its domain is disabled.</summary>
    Disabled,

    /// <summary>It gives out nothing that the subject has not itself.</summary>
    WithinOwnRights,

    /// <summary>It would give out more than the subject has.</summary>
    BeyondOwnRights,

    /// <summary>The state store does not answer: what is known may have been revoked.</summary>
    Stale,
}

/// <summary>Allowed or denied, and why.</summary>
/// <param name="Allowed">Allowed.</param>
/// <param name="Reason">Why.</param>
/// <param name="Permission">What was asked; with <see cref="DecisionReason.BeyondOwnRights"/> the first permission that is missing.</param>
/// <param name="Scope">Where.</param>
/// <param name="Binding">The binding that allows it.</param>
/// <param name="Role">Its role.</param>
/// <param name="Via">The group that it is a binding of; null: of the subject itself.</param>
public sealed record Decision(
    bool Allowed, DecisionReason Reason, Permission Permission, ResourceScope Scope, RoleBinding? Binding = null, Role? Role = null, Group? Via = null)
{
    /// <summary>In words.</summary>
    public string Explanation => Reason switch
    {
        DecisionReason.Binding => $"allowed: role {Role!.Name} has {Permission} and is bound at {Binding!.Scope} to {(Via is null ? "the subject itself" : $"group {Via.Name}")} (binding {Binding.Id})",
        DecisionReason.NoBinding => $"denied: no role with {Permission} is bound to the subject or its groups at {Scope} or above",
        DecisionReason.UnknownSubject => "denied: no such account",
        DecisionReason.Disabled => "denied: the account or its domain is disabled",
        DecisionReason.WithinOwnRights => "allowed: the subject has all of this itself",
        DecisionReason.BeyondOwnRights => $"denied: this would give out {Permission} at {Scope}, which the subject does not have itself",
        DecisionReason.Stale => "denied: the state store does not answer, so rights may have been revoked unseen; try again",
        _ => throw new InvalidOperationException($"{Reason}"),
    };
}
