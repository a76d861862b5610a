using System.Collections.Frozen;
using Candela.Identity.Accounts;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Schema;

namespace Candela.Identity.Ldap.Writing;

/// <summary>What the schema lets entries of a kind be and have.</summary>
internal sealed class EntryRules
{
    private static readonly EntryRules User = new(
        [ObjectClasses.InetOrgPerson, ObjectClasses.PosixAccount],
        [ObjectClasses.LdapPublicKey],
        [AttributeTypes.CommonName, AttributeTypes.Surname, AttributeTypes.UidNumber, AttributeTypes.GidNumber, AttributeTypes.HomeDirectory, AttributeTypes.LoginShell]);

    private static readonly EntryRules Group = new([ObjectClasses.GroupOfNames, ObjectClasses.PosixGroup], [], [AttributeTypes.GidNumber]);

    private static readonly EntryRules ServiceAccount = new([ObjectClasses.Account, ObjectClasses.SimpleSecurityObject], [ObjectClasses.LdapPublicKey], []);

    private static readonly EntryRules Machine = new([ObjectClasses.Device], [ObjectClasses.LdapPublicKey], []);

    private readonly FrozenSet<ObjectClass> _always;
    private readonly FrozenSet<ObjectClass> _allowedClasses;
    private readonly FrozenSet<AttributeType> _allowed;

    private EntryRules(ObjectClass[] always, ObjectClass[] sometimes, AttributeType[] required)
    {
        _always = always.SelectMany(WithSuperiors).ToFrozenSet();
        _allowedClasses = _always.Concat(sometimes.SelectMany(WithSuperiors)).ToFrozenSet();
        _allowed = _allowedClasses.SelectMany(type => type.Must.Concat(type.May)).Append(AttributeTypes.AccountLockedTime).Append(AttributeTypes.DisplayName).ToFrozenSet();
        Required = required.ToFrozenSet();
    }

    /// <summary>Attributes that an entry always has, beside the one that names it.</summary>
    public FrozenSet<AttributeType> Required { get; }

    /// <summary>Rules of a kind.</summary>
    public static EntryRules Of(EntryKind kind) => kind switch
    {
        EntryKind.User => User,
        EntryKind.Group => Group,
        EntryKind.ServiceAccount => ServiceAccount,
        EntryKind.Machine => Machine,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>The kind may have the attribute.</summary>
    /// <exception cref="LdapException">It may not.</exception>
    public void CheckAllowed(AttributeType type)
    {
        if (!_allowed.Contains(type))
            throw new LdapException(ResultCode.ObjectClassViolation, $"{type.Name} is no attribute of such an entry");
    }

    /// <summary>The classes of an addition fit the kind.</summary>
    /// <param name="names">Names as given; superior classes may be left out, and those that always are there as long as one is named.</param>
    /// <exception cref="LdapException">They do not.</exception>
    public void CheckNew(IReadOnlyCollection<string> names)
    {
        var classes = Find(names);
        if (!classes.Any(type => _always.Contains(type) && type != ObjectClasses.Top))
            throw new LdapException(ResultCode.ObjectClassViolation, $"an entry here must be one of {string.Join(", ", _always.Where(type => type != ObjectClasses.Top).Select(type => type.Name))}");
    }

    /// <summary>The classes of an entry that was changed fit the kind: those that always are there still are.</summary>
    /// <exception cref="LdapException">They do not.</exception>
    public void CheckChanged(IReadOnlyCollection<string> names)
    {
        if (!Find(names).IsSupersetOf(_always))
            throw new LdapException(ResultCode.ObjectClassModsProhibited, "entries keep their classes");
    }

    private HashSet<ObjectClass> Find(IReadOnlyCollection<string> names)
    {
        var classes = new HashSet<ObjectClass>();
        foreach (var name in names)
        {
            var type = LdapSchema.FindClass(name) ?? throw new LdapException(ResultCode.ObjectClassViolation, "there is no such object class here: see the entry cn=Subschema");
            if (!_allowedClasses.Contains(type))
                throw new LdapException(ResultCode.ObjectClassViolation, $"an entry here cannot be {type.Name}");
            classes.UnionWith(WithSuperiors(type));
        }

        return classes;
    }

    private static IEnumerable<ObjectClass> WithSuperiors(ObjectClass type)
    {
        for (var one = type; one is not null; one = one.Superior)
            yield return one;
    }
}
