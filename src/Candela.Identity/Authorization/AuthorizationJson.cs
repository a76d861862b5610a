using System.Text.Json;
using System.Text.Json.Serialization;

namespace Candela.Identity.Authorization;

/// <summary>A subject as its text.</summary>
public sealed class SubjectJsonConverter : JsonConverter<Subject>
{
    /// <inheritdoc/>
    public override Subject Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Subject.TryParse(reader.GetString(), out var subject) ? subject : throw new JsonException("A subject is entry:ID, workload:TENANT/PROJECT/NAME or workload:TENANT/PROJECT/*.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Subject value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

/// <summary>A scope as its text.</summary>
public sealed class ResourceScopeJsonConverter : JsonConverter<ResourceScope>
{
    /// <inheritdoc/>
    public override ResourceScope Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        ResourceScope.TryParse(reader.GetString(), out var scope) ? scope : throw new JsonException("A scope is /, /tenants/T or /tenants/T/projects/P, with or without /KIND/ID.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, ResourceScope value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
