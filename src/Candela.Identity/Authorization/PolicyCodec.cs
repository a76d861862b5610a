using System.Text.Json;
using Candela.Identity.Storage;

namespace Candela.Identity.Authorization;

/// <summary>Roles and bindings as documents.</summary>
internal static class PolicyCodec
{
    public static byte[] Encode(Role role) => JsonSerializer.SerializeToUtf8Bytes(role, IdentityJson.Default.Role);

    public static byte[] Encode(RoleBinding binding) => JsonSerializer.SerializeToUtf8Bytes(binding, IdentityJson.Default.RoleBinding);

    /// <summary>The policy after a change of a key; the same one when the key says nothing about it.</summary>
    public static PolicySnapshot Apply(PolicySnapshot policy, string key, long revision, ReadOnlyMemory<byte>? value)
    {
        if (key.StartsWith(IdentityKeys.Roles, StringComparison.Ordinal))
        {
            return value is { } role
                ? policy.With(JsonSerializer.Deserialize(role.Span, IdentityJson.Default.Role)! with { Revision = revision })
                : policy.WithoutRole(Guid.Parse(key.AsSpan(IdentityKeys.Roles.Length)));
        }

        if (key.StartsWith(IdentityKeys.Bindings, StringComparison.Ordinal))
        {
            return value is { } binding
                ? policy.With(JsonSerializer.Deserialize(binding.Span, IdentityJson.Default.RoleBinding)!)
                : policy.WithoutBinding(Guid.Parse(key.AsSpan(IdentityKeys.Bindings.Length)));
        }

        return policy;
    }
}
