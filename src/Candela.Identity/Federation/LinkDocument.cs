using System.Text.Json.Serialization;

namespace Candela.Identity.Federation;

/// <summary>A subject of a provider is an account here.</summary>
internal sealed record LinkDocument
{
    public required string Subject { get; init; }

    public required Guid AccountId { get; init; }

    /// <summary>The account was made for the subject: what the provider says of it goes over to it.</summary>
    public bool OwnsAccount { get; init; }

    /// <summary>The account is about to be made: what is not there is made again. Else an account that is not there was deleted, and stays so.</summary>
    public bool IsPending { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    [JsonIgnore]
    public long Revision { get; init; }
}
