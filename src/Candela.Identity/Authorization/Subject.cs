using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Candela.Identity.Authorization;

/// <summary>
/// Who something is allowed to: an entry of the directory (user, group, service account, machine) or a workload. In text: <c>entry:ID</c>,
/// <c>workload:TENANT/PROJECT/NAME</c>, and in bindings <c>workload:TENANT/PROJECT/*</c> for every workload of a project.
/// </summary>
[JsonConverter(typeof(SubjectJsonConverter))]
public readonly record struct Subject
{
    private const string EntryPrefix = "entry:";
    private const string WorkloadPrefix = "workload:";
    private const string AnyName = "*";

    private Subject(Guid entryId, string? tenant, string? project, string? name)
    {
        EntryId = entryId;
        Tenant = tenant;
        Project = project;
        Name = name;
    }

    /// <summary>The entry's id; all zeros for a workload.</summary>
    public Guid EntryId { get; }

    /// <summary>A workload's tenant; null for an entry.</summary>
    public string? Tenant { get; }

    /// <summary>A workload's project; null for an entry.</summary>
    public string? Project { get; }

    /// <summary>A workload's name; null for an entry.</summary>
    public string? Name { get; }

    /// <summary>It is a workload, or all of a project.</summary>
    public bool IsWorkload => Name is not null;

    /// <summary>It is every workload of a project: only in bindings.</summary>
    public bool IsAnyWorkload => Name == AnyName;

    /// <summary>An entry of the directory.</summary>
    public static Subject Entry(Guid id) => id != Guid.Empty ? new(id, null, null, null) : throw new ArgumentException("An entry has an id.", nameof(id));

    /// <summary>A workload.</summary>
    public static Subject Workload(string tenant, string project, string name) =>
        TryWorkload(tenant, project, name, out var subject) ? subject : throw new ArgumentException($"Not a workload: '{tenant}/{project}/{name}'");

    /// <summary>Every workload of a project.</summary>
    public static Subject AnyWorkload(string tenant, string project) => Workload(tenant, project, AnyName);

    /// <summary>Reads the text form.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Subject subject)
    {
        subject = default;
        if (text is null || text.Length > 512)
            return false;
        if (text.StartsWith(EntryPrefix, StringComparison.Ordinal) && Guid.TryParseExact(text.AsSpan(EntryPrefix.Length), "D", out var id) && id != Guid.Empty)
        {
            subject = Entry(id);
            return true;
        }

        return text.StartsWith(WorkloadPrefix, StringComparison.Ordinal) && text[WorkloadPrefix.Length..].Split('/') is [var tenant, var project, var name] &&
            TryWorkload(tenant, project, name, out subject);
    }

    /// <inheritdoc/>
    public override string ToString() => IsWorkload ? $"{WorkloadPrefix}{Tenant}/{Project}/{Name}" : $"{EntryPrefix}{EntryId}";

    private static bool TryWorkload(string tenant, string project, string name, out Subject subject)
    {
        bool valid = IsValid(tenant) && tenant != AnyName && IsValid(project) && project != AnyName && IsValid(name);
        subject = valid ? new Subject(Guid.Empty, tenant, project, name) : default;
        return valid;
    }

    private static bool IsValid(string part) =>
        part.Length is > 0 and <= 128 && !part.Contains('/', StringComparison.Ordinal) && !part.AsSpan().ContainsAnyInRange('\0', ' ') && (part == AnyName || !part.Contains('*', StringComparison.Ordinal));
}
