using System.Globalization;
using System.Numerics;
using Candela.Identity.Accounts;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Schema;
using Candela.Identity.Ldap.Tree;
using Candela.Identity.Ldif;

namespace Candela.Identity.Ldap.Writing;

/// <summary>An account or group as attributes, while it is being made or changed. Members are kept by id, passwords not at all.</summary>
internal sealed class EntryDraft
{
    private readonly DirectorySnapshot _directory;
    private readonly Guid _domainId;
    private readonly EntryKind _kind;
    private readonly EntryRules _rules;

    // By the names under which further attributes are stored: in lower case, with options.
    private readonly SortedDictionary<string, List<string>> _values = new(StringComparer.Ordinal);
    private readonly HashSet<Guid> _members = [];
    private readonly Guid _groupId;
    private bool _isNew;

    // A user's cn was given; else it follows from other names, and changes with them.
    private bool _hasOwnCommonName = true;

    private EntryDraft(DirectorySnapshot directory, Guid domainId, EntryKind kind, Guid groupId)
    {
        _directory = directory;
        _domainId = domainId;
        _kind = kind;
        _rules = EntryRules.Of(kind);
        _groupId = groupId;
    }

    /// <summary>Members that it has come to have.</summary>
    public IReadOnlyCollection<Guid> AddedIds => [.. _members.Where(id => !_directory.IsMember(_groupId, id))];

    /// <summary>Members that it has no longer.</summary>
    public IReadOnlyCollection<Guid> RemovedIds => _groupId == Guid.Empty ? [] : [.. _directory.MembersOf(_groupId).Where(id => !_members.Contains(id))];

    /// <summary>A draft of a new entry.</summary>
    /// <param name="directory">Directory.</param>
    /// <param name="domainId">Domain.</param>
    /// <param name="kind">Kind.</param>
    /// <param name="name">Name.</param>
    public static EntryDraft New(DirectorySnapshot directory, Guid domainId, EntryKind kind, string name)
    {
        var draft = new EntryDraft(directory, domainId, kind, Guid.Empty) { _isNew = true };
        draft._values[DirectoryTree.NamingAttribute(kind).Key] = [name];
        return draft;
    }

    /// <summary>A draft of an entry that there is.</summary>
    public static EntryDraft Of(TreeNode node)
    {
        var entry = node.Entry;
        var draft = new EntryDraft(node.Directory, entry.DomainId, entry.Kind, entry is Group ? entry.Id : Guid.Empty);
        if (entry is Group)
            draft._members.UnionWith(node.Directory.MembersOf(entry.Id));
        var attributes = NodeAttributes.Of(node);
        foreach (var (type, source) in attributes.All)
        {
            var values = new List<string>();
            if (IsKept(type))
                source(node, values);
            if (values.Count > 0)
                draft._values[type.Key] = values;
        }

        foreach (var (key, further) in entry.Attributes)
        {
            if (!attributes.Owns(key))
                draft._values[key] = [.. further];
        }

        draft._hasOwnCommonName = entry is not User || entry.Attributes.ContainsKey(AttributeTypes.CommonName.Key);
        return draft;
    }

    /// <summary>Applies one modification (RFC 4511, 4.6).</summary>
    /// <exception cref="LdapException">It cannot be applied.</exception>
    public void Apply(Modification modification)
    {
        var description = AttributeDescription.Parse(modification.Attribute.Attribute) ?? throw new LdapException(ResultCode.UndefinedAttributeType, "not an attribute's name");
        var type = description.Type;
        Check(description, modification.Kind);
        string[] values = [.. modification.Attribute.Values.Select(value => TextOf(type, value))];
        if (type == AttributeTypes.Member || type == AttributeTypes.MemberUid)
            Apply(type, modification.Kind, values);
        else
            Apply(description, modification.Kind, values);
    }

    /// <summary>The entry that the draft describes.</summary>
    /// <param name="former">The entry that is changed; null: a new one.</param>
    /// <exception cref="LdapException">It is none.</exception>
    public DirectoryEntry ToEntry(DirectoryEntry? former)
    {
        var classes = _values.GetValueOrDefault(AttributeTypes.ObjectClass.Key) ?? [];
        if (_isNew)
            _rules.CheckNew(classes);
        else
            _rules.CheckChanged(classes);
        List<(string, string)> attributes = [.. _values.Where(pair => _hasOwnCommonName || pair.Key != AttributeTypes.CommonName.Key).SelectMany(pair => pair.Value.Select(value => (pair.Key, value)))];
        DirectoryEntry? entry;
        try
        {
            entry = EntryRecords.Read(new LdifRecord(0, "", attributes), _domainId);
        }
        catch (LdifFormatException e)
        {
            throw new LdapException(ResultCode.InvalidAttributeSyntax, e.Message);
        }

        if (entry?.Kind != _kind)
            throw new LdapException(ResultCode.ObjectClassViolation, "the entry's classes are those of another kind of entries");
        return former is null ? entry : entry with { Id = former.Id, CreatedAt = former.CreatedAt, ModifiedAt = former.ModifiedAt, Revision = former.Revision };
    }

    /// <summary>What a draft has of what nodes show: what can be written, and is not kept by id.</summary>
    private static bool IsKept(AttributeType type) => !type.IsReadOnly && type != AttributeTypes.Member && type != AttributeTypes.MemberUid;

    private static string TextOf(AttributeType type, byte[] value)
    {
        var text = StrictUtf8.TextOf(value) ?? throw new LdapException(ResultCode.InvalidAttributeSyntax, $"a value of {type.Name} is not text (UTF-8): only texts are kept here");
        if (type == AttributeTypes.AccountLockedTime)
            return text == EntryRecords.LockedForGood ? text : throw new LdapException(ResultCode.ConstraintViolation, $"{type.Name} is {EntryRecords.LockedForGood} here: disabled until that is taken away");
        return type.Syntax.IsValid(text) && !text.Contains('\0', StringComparison.Ordinal)
            ? text
            : throw new LdapException(ResultCode.InvalidAttributeSyntax, $"a value of {type.Name} is not of the syntax {type.Syntax.Description}");
    }

    private static bool AreEqual(AttributeType type, string one, string other) =>
        one == other || (type.Equality is { } rule && rule.Prepare(one) is { } prepared && rule.AreEqual(other, prepared));

    private void Check(AttributeDescription description, ModificationKind kind)
    {
        var type = description.Type;
        if (type.IsReadOnly)
            throw new LdapException(ResultCode.ConstraintViolation, $"{type.Name} is set by the server alone");
        if (LdapSchema.FindAttribute(type.Name) is null)
        {
            // What an import has brought can be taken away.
            if (kind is ModificationKind.Add or ModificationKind.Increment || (kind == ModificationKind.Replace && !_values.ContainsKey(KeyOf(description))))
                throw new LdapException(ResultCode.UndefinedAttributeType, "there is no such attribute here: see the entry cn=Subschema");
            return;
        }

        _rules.CheckAllowed(type);
        if (!_isNew && type == DirectoryTree.NamingAttribute(_kind) && description.Options.Count == 0)
            throw new LdapException(ResultCode.NotAllowedOnRdn, $"{type.Name} names the entry: rename it (Modify DN)");
        if (description.Options.Count > 0 && (type.Syntax != Syntax.DirectoryString || type == DirectoryTree.NamingAttribute(_kind)))
            throw new LdapException(ResultCode.UndefinedAttributeType, $"{type.Name} has no options here");
    }

    private static string KeyOf(AttributeDescription description) =>
        description.Options.Count == 0 ? description.Type.Key : $"{description.Type.Key};{string.Join(';', description.Options.Order(StringComparer.Ordinal))}";

    private void Apply(AttributeDescription description, ModificationKind kind, string[] values)
    {
        var (type, key) = (description.Type, KeyOf(description));
        _hasOwnCommonName |= type == AttributeTypes.CommonName;
        var present = _values.GetValueOrDefault(key) ?? [];
        switch (kind)
        {
            case ModificationKind.Add:
                Add(type, present, values);
                break;
            case ModificationKind.Delete:
                Delete(type, present, values);
                break;
            case ModificationKind.Replace:
                present = [];
                if (values.Length > 0)
                    Add(type, present, values);
                break;
            default:
                Increment(type, present, values);
                break;
        }

        if (type.IsSingleValued && present.Count > 1)
            throw new LdapException(ResultCode.ConstraintViolation, $"{type.Name} has at most one value");
        if (present.Count == 0 && _rules.Required.Contains(type))
            throw new LdapException(ResultCode.ObjectClassViolation, $"the entry always has {type.Name}: replace it instead");
        if (present.Count > 0)
            _values[key] = present;
        else
            _values.Remove(key);
    }

    private void Add(AttributeType type, List<string> present, string[] values)
    {
        if (values.Length == 0)
            throw new LdapException(ResultCode.ProtocolError, "no values are given");
        foreach (var value in values)
        {
            // The name that a new entry is called by may come again among its attributes.
            bool isName = _isNew && type == DirectoryTree.NamingAttribute(_kind);
            if (present.Exists(other => AreEqual(type, value, other)))
            {
                if (!isName)
                    throw new LdapException(ResultCode.AttributeOrValueExists, $"{type.Name} has such a value already");
                continue;
            }

            if (isName)
                throw new LdapException(ResultCode.NamingViolation, $"{type.Name} must be what the entry's name says, and nothing else");
            present.Add(value);
        }
    }

    private static void Delete(AttributeType type, List<string> present, string[] values)
    {
        if (present.Count == 0)
            throw NoSuchAttribute(type);
        if (values.Length == 0)
            present.Clear();
        foreach (var value in values)
        {
            if (present.FindIndex(other => AreEqual(type, value, other)) is >= 0 and var at)
                present.RemoveAt(at);
            else
                throw NoSuchAttribute(type);
        }
    }

    /// <summary>RFC 4525.</summary>
    private static void Increment(AttributeType type, List<string> present, string[] values)
    {
        if (type.Syntax != Syntax.Integer)
            throw new LdapException(ResultCode.ConstraintViolation, $"{type.Name} is no number");
        if (values is not [var text])
            throw new LdapException(ResultCode.ProtocolError, "an increment has one value");
        if (present.Count == 0)
            throw NoSuchAttribute(type);
        var amount = BigInteger.Parse(text, CultureInfo.InvariantCulture);
        for (int i = 0; i < present.Count; i++)
            present[i] = (BigInteger.Parse(present[i], CultureInfo.InvariantCulture) + amount).ToString(CultureInfo.InvariantCulture);
    }

    private void Apply(AttributeType type, ModificationKind kind, string[] values)
    {
        Guid[] ids = [.. values.Select(value => MemberOf(type, value, isNew: kind is ModificationKind.Add or ModificationKind.Replace))];
        switch (kind)
        {
            case ModificationKind.Add when ids.Length == 0:
                throw new LdapException(ResultCode.ProtocolError, "no values are given");
            case ModificationKind.Add:
                foreach (var id in ids)
                {
                    if (!_members.Add(id))
                        throw new LdapException(ResultCode.AttributeOrValueExists, "the group has such a member already");
                }

                break;
            case ModificationKind.Delete when ids.Length == 0 ? !_members.Any(id => IsOf(type, id)) : ids.Any(id => !_members.Contains(id)):
                throw NoSuchAttribute(type);
            case ModificationKind.Delete when ids.Length == 0:
                _members.RemoveWhere(id => IsOf(type, id));
                break;
            case ModificationKind.Delete:
                _members.ExceptWith(ids);
                break;
            case ModificationKind.Replace:
                _members.RemoveWhere(id => IsOf(type, id));
                _members.UnionWith(ids);
                break;
            default:
                throw new LdapException(ResultCode.ConstraintViolation, $"{type.Name} is no number");
        }
    }

    /// <summary>The member is a value of the attribute: memberUid names users only.</summary>
    private bool IsOf(AttributeType type, Guid id) => type == AttributeTypes.Member || _directory.Get(id) is User;

    private Guid MemberOf(AttributeType type, string value, bool isNew)
    {
        var member = type == AttributeTypes.Member ? DirectoryTree.FindEntry(_directory, value) : _directory.Find(_domainId, EntryKind.User, value);
        if (member is not null && member.DomainId == _domainId)
            return member.Id;
        throw isNew
            ? new LdapException(ResultCode.ConstraintViolation, "a member is an account or group of the group's own domain, and there is none of this name")
            : NoSuchAttribute(type);
    }

    private static LdapException NoSuchAttribute(AttributeType type) => new(ResultCode.NoSuchAttribute, $"{type.Name} is not there, or has no such value");
}
