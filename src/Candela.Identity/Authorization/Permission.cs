using System.Diagnostics.CodeAnalysis;

namespace Candela.Identity.Authorization;

/// <summary>What a permission is about. In text: <c>service-account</c> and so on.</summary>
public enum ResourceKind
{
    /// <summary>The platform as a whole: its settings, its backup.</summary>
    System,

    /// <summary>A host.</summary>
    Machine,

    /// <summary>A tenant.</summary>
    Tenant,

    /// <summary>A project.</summary>
    Project,

    /// <summary>What a tenant or project may use.</summary>
    Quota,

    /// <summary>A domain of the directory with its password policy.</summary>
    Domain,

    /// <summary>A user.</summary>
    User,

    /// <summary>A group with its members.</summary>
    Group,

    /// <summary>A service account.</summary>
    ServiceAccount,

    /// <summary>A custom role.</summary>
    Role,

    /// <summary>A binding of a role.</summary>
    Binding,

    /// <summary>A program that lets people sign in through Candela (OpenID Connect, SAML).</summary>
    Client,

    /// <summary>A certificate or a profile of certificates.</summary>
    Certificate,

    /// <summary>An image.</summary>
    Image,

    /// <summary>A container.</summary>
    Container,

    /// <summary>A volume.</summary>
    Volume,

    /// <summary>A network segment.</summary>
    Segment,

    /// <summary>Who may talk to whom.</summary>
    NetworkPolicy,

    /// <summary>A long operation.</summary>
    Task,

    /// <summary>Events.</summary>
    Event,

    /// <summary>The audit log.</summary>
    Audit,
}

/// <summary>What is done to a resource.</summary>
public enum Verb
{
    /// <summary>Read one.</summary>
    Get,

    /// <summary>Read which there are.</summary>
    List,

    /// <summary>Make one.</summary>
    Create,

    /// <summary>Change it.</summary>
    Update,

    /// <summary>Remove it.</summary>
    Delete,

    /// <summary>Start, stop, pause, signal; drain a machine; cancel a task.</summary>
    Operate,

    /// <summary>Run or attach to processes in it, read and write its files.</summary>
    Execute,

    /// <summary>Read what its process wrote.</summary>
    Logs,

    /// <summary>Clone it while it runs.</summary>
    Fork,

    /// <summary>Open network connections to it.</summary>
    Connect,

    /// <summary>Set the password, or take the second factor away, in the owner's stead.</summary>
    Reset,
}

/// <summary>One verb on one kind of resource. In text: <c>container:create</c>.</summary>
/// <param name="Kind">Kind.</param>
/// <param name="Verb">Verb.</param>
public readonly record struct Permission(ResourceKind Kind, Verb Verb)
{
    /// <summary>Reads <c>KIND:VERB</c>.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Permission permission)
    {
        permission = default;
        if (text?.Split(':') is not [var kind, var verb] || PermissionText.Kind(kind) is not { } k || PermissionText.Verb(verb) is not { } v)
            return false;
        permission = new Permission(k, v);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{PermissionText.Of(Kind)}:{PermissionText.Of(Verb)}";
}
