using System.Collections.Frozen;
using Candela.Identity.Ldap.Schema;

namespace Candela.Identity.Ldap.Access;

/// <summary>Which attributes a level lets read. What may not be read does not count in filters, either: it is as if it were not there.</summary>
internal static class ReadableAttributes
{
    private static readonly FrozenSet<AttributeType> Login = new[]
    {
        AttributeTypes.ObjectClass, AttributeTypes.Uid, AttributeTypes.CommonName, AttributeTypes.Surname, AttributeTypes.GivenName, AttributeTypes.DisplayName, AttributeTypes.Gecos,
        AttributeTypes.UidNumber, AttributeTypes.GidNumber, AttributeTypes.HomeDirectory, AttributeTypes.LoginShell, AttributeTypes.SshPublicKey,
        AttributeTypes.Member, AttributeTypes.MemberUid, AttributeTypes.MemberOf, AttributeTypes.OrganizationalUnit, AttributeTypes.DomainComponent,
        AttributeTypes.StructuralObjectClass, AttributeTypes.EntryUuid, AttributeTypes.EntryDn, AttributeTypes.CreateTimestamp, AttributeTypes.ModifyTimestamp,
        AttributeTypes.SubschemaSubentry, AttributeTypes.HasSubordinates,
    }.ToFrozenSet();

    /// <summary>The level lets read the attribute.</summary>
    public static bool Contains(ReadLevel level, AttributeType type) => level switch
    {
        ReadLevel.Full => type != AttributeTypes.UserPassword,
        ReadLevel.Login => Login.Contains(type),
        _ => false,
    };
}
