using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Candela.Identity.SignIn.Pages;

/// <summary>Reads posted forms within limits.</summary>
internal static class Forms
{
    /// <summary>Largest form, bytes.</summary>
    public const int Bytes = 64 * 1024;

    private const string MediaType = "application/x-www-form-urlencoded";
    private const int FieldCount = 64;
    private const int NameLength = 128;
    private const int ValueLength = 32 * 1024;

    private static readonly FormOptions Limits = new()
    {
        ValueCountLimit = FieldCount, KeyLengthLimit = NameLength, ValueLengthLimit = ValueLength, BufferBodyLengthLimit = Bytes, MultipartBodyLengthLimit = 0,
    };

    /// <summary>Key of a form that was read already.</summary>
    private static readonly object Read = new();

    /// <summary>The form; null: it is none, too large, malformed, or has a field twice. Can be asked for again.</summary>
    public static async Task<IFormCollection?> ReadAsync(HttpContext context)
    {
        if (!context.Items.TryGetValue(Read, out var known))
            context.Items[Read] = known = await ReadBodyAsync(context);
        return known as IFormCollection;
    }

    /// <summary>A field; empty when it is not there.</summary>
    public static string Text(this IFormCollection form, string name) => form.TryGetValue(name, out StringValues values) ? values.ToString() : "";

    private static async Task<IFormCollection?> ReadBodyAsync(HttpContext context)
    {
        if (context.Request.ContentType?.Split(';')[0].Trim() is not { } type || !type.Equals(MediaType, StringComparison.OrdinalIgnoreCase) || context.Request.ContentLength > Bytes)
            return null;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = Bytes;
        try
        {
            var form = await new FormFeature(context.Request, Limits).ReadFormAsync(context.RequestAborted);
            return form.All(field => field.Value.Count == 1) ? form : null;
        }
        catch (Exception e) when (e is InvalidDataException or BadHttpRequestException)
        {
            return null;
        }
    }
}
