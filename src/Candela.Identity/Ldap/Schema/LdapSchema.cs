using System.Collections.Frozen;
using System.Reflection;

namespace Candela.Identity.Ldap.Schema;

/// <summary>The schema: what is known of attributes and classes, by name and object identifier.</summary>
internal static class LdapSchema
{
    private static readonly FrozenDictionary<string, AttributeType> Attributes;
    private static readonly FrozenDictionary<string, ObjectClass> Classes;
    private static readonly FrozenDictionary<string, AttributeType>.AlternateLookup<ReadOnlySpan<char>> AttributesByText;
    private static readonly FrozenDictionary<string, ObjectClass>.AlternateLookup<ReadOnlySpan<char>> ClassesByText;

    static LdapSchema()
    {
        AttributeTypeList = [.. FieldsOf<AttributeType>(typeof(AttributeTypes))];
        ObjectClassList = [.. FieldsOf<ObjectClass>(typeof(ObjectClasses))];
        Attributes = AttributeTypeList.SelectMany(type => type.Names.Append(type.Oid).Select(name => (name, type))).ToFrozenDictionary(pair => pair.name, pair => pair.type, StringComparer.OrdinalIgnoreCase);
        Classes = ObjectClassList.SelectMany(type => new[] { (type.Name, type), (type.Oid, type) }).ToFrozenDictionary(pair => pair.Item1, pair => pair.type, StringComparer.OrdinalIgnoreCase);
        AttributesByText = Attributes.GetAlternateLookup<ReadOnlySpan<char>>();
        ClassesByText = Classes.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>All attribute types.</summary>
    public static IReadOnlyList<AttributeType> AttributeTypeList { get; }

    /// <summary>All object classes.</summary>
    public static IReadOnlyList<ObjectClass> ObjectClassList { get; }

    /// <summary>An attribute type by name or object identifier.</summary>
    public static AttributeType? FindAttribute(ReadOnlySpan<char> name) => AttributesByText.TryGetValue(name, out var type) ? type : null;

    /// <summary>An object class by name or object identifier.</summary>
    public static ObjectClass? FindClass(ReadOnlySpan<char> name) => ClassesByText.TryGetValue(name, out var type) ? type : null;

    /// <summary>Object identifier of whatever has this name.</summary>
    public static string? FindOid(ReadOnlySpan<char> name) => FindClass(name)?.Oid ?? FindAttribute(name)?.Oid ?? MatchingRules.Find(name.ToString())?.Oid;

    /// <summary>Names as descriptions have them (RFC 4512, 4.1: qdescrs).</summary>
    public static string Names(IReadOnlyList<string> names) => names.Count == 1 ? $"'{names[0]}'" : $"( {string.Join(' ', names.Select(name => $"'{name}'"))} )";

    private static IEnumerable<T> FieldsOf<T>(Type type) =>
        type.GetFields(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly).Where(field => field.FieldType == typeof(T)).Select(field => (T)field.GetValue(null)!);
}
