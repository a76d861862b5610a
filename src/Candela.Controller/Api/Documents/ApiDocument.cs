using Candela.Controller.Api.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Candela.Controller.Api.Documents;

/// <summary>The API's OpenAPI document.</summary>
internal static class ApiDocument
{
    public const string Name = "v1";
    public const string Pattern = "/openapi/{documentName}.json";

    public static void Configure(OpenApiOptions options)
    {
        options.ShouldInclude = description => description.RelativePath?.StartsWith("v1/", StringComparison.Ordinal) ?? false;
        options.AddOperationTransformer(static (operation, context, _) =>
        {
            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<FileBody>().FirstOrDefault() is { } file)
                operation.RequestBody = new OpenApiRequestBody { Required = true, Content = FileContent(file.MediaType) };
            return Task.CompletedTask;
        });
        options.AddDocumentTransformer(static (document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Candela",
                Version = typeof(ApiDocument).Assembly.GetName().Version?.ToString(3) ?? "0.0.0",
                Description = "Containers as micro-VMs. Served on a Unix socket; callers are known by their peer credentials. "
                    + "Errors are problem details (RFC 9457) with a stable code.",
            };
            document.Servers = [];
            return Task.CompletedTask;
        });
    }

    private static Dictionary<string, OpenApiMediaType> FileContent(string mediaType) => new()
    {
        [mediaType] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" } },
    };
}
