using System.Text.Json;
using Candela.Identity.Accounts;

namespace Candela.Identity.Storage;

/// <summary>Documents below <see cref="IdentityKeys.Directory"/> as changes of the directory.</summary>
internal static class DirectoryCodec
{
    public static byte[] Encode(Domain domain) => JsonSerializer.SerializeToUtf8Bytes(domain, IdentityJson.Default.Domain);

    public static byte[] Encode(DirectoryEntry entry) => JsonSerializer.SerializeToUtf8Bytes(entry, IdentityJson.Default.DirectoryEntry);

    /// <summary>What a key's new value means; null: nothing to the directory.</summary>
    public static DirectoryChange? Decode(string key, long revision, ReadOnlyMemory<byte>? value)
    {
        if (key.StartsWith(IdentityKeys.Entries, StringComparison.Ordinal))
        {
            return value is { } entry
                ? new EntryStored(revision, JsonSerializer.Deserialize(entry.Span, IdentityJson.Default.DirectoryEntry)! with { Revision = revision })
                : new EntryDeleted(revision, Guid.Parse(key.AsSpan(IdentityKeys.Entries.Length)));
        }

        if (key.StartsWith(IdentityKeys.Members, StringComparison.Ordinal))
        {
            var ids = key.AsSpan(IdentityKeys.Members.Length);
            int slash = ids.IndexOf('/');
            return new MembershipChanged(revision, Guid.Parse(ids[..slash]), Guid.Parse(ids[(slash + 1)..]), value is not null);
        }

        if (key.StartsWith(IdentityKeys.Domains, StringComparison.Ordinal))
        {
            return value is { } domain
                ? new DomainStored(revision, JsonSerializer.Deserialize(domain.Span, IdentityJson.Default.Domain)! with { Revision = revision })
                : new DomainDeleted(revision, Guid.Parse(key.AsSpan(IdentityKeys.Domains.Length)));
        }

        return null;
    }
}
