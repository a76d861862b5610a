using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Jose;
using Candela.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Candela.Identity.Acme.Http;

/// <summary>ACME over HTTP (RFC 8555, section 7).</summary>
public static class AcmeEndpoints
{
    private const string Directory = "directory";
    private const string NewNonce = "new-nonce";
    private const string NewAccount = "new-account";
    private const string NewOrder = "new-order";
    private const string RevokeCert = "revoke-cert";
    private const string KeyChange = "key-change";

    private static readonly string[] HeadAndGet = [HttpMethods.Head, HttpMethods.Get];

    /// <summary>Maps the endpoints below the path of <see cref="AcmeOptions.BaseUrl"/>. Needs an <see cref="AcmeServer"/> among the services; to be reached by https.</summary>
    public static IEndpointConventionBuilder MapAcme(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("").AllowAnonymous();
        group.MapGet(Directory, (AcmeServer server, HttpContext context) => RunAsync(context, server, () => WriteAsync(context, StatusCodes.Status200OK, DirectoryOf(server.Options), AcmeBodies.Default.DirectoryBody)));
        group.MapMethods(NewNonce, HeadAndGet, (AcmeServer server, HttpContext context) => RunAsync(context, server, () =>
        {
            context.Response.StatusCode = HttpMethods.IsHead(context.Request.Method) ? StatusCodes.Status200OK : StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        }));
        Post(group, NewAccount, AcmeSigner.Key, NewAccountAsync);
        Post(group, NewOrder, AcmeSigner.Account, NewOrderAsync);
        Post(group, RevokeCert, AcmeSigner.Either, RevokeAsync);
        Post(group, KeyChange, AcmeSigner.Account, KeyChangeAsync);
        Post(group, "account/{id}", AcmeSigner.Account, AccountAsync);
        Post(group, "account/{id}/orders", AcmeSigner.Account, OrdersAsync);
        Post(group, "order/{id}", AcmeSigner.Account, OrderAsync);
        Post(group, "order/{id}/finalize", AcmeSigner.Account, FinalizeAsync);
        Post(group, "order/{id}/certificate", AcmeSigner.Account, CertificateAsync);
        Post(group, "authorization/{id}", AcmeSigner.Account, AuthorizationAsync);
        Post(group, "authorization/{id}/{type}", AcmeSigner.Account, ChallengeAsync);
        return group;
    }

    private static void Post(RouteGroupBuilder group, string pattern, AcmeSigner signer, Func<Call, Task> handle) =>
        group.MapPost(pattern, (AcmeServer server, HttpContext context, ProtocolAudit audit) => RunAsync(context, server, async () =>
        {
            var id = context.GetRouteValue("id") as string ?? "";
            var type = context.GetRouteValue("type") as string ?? "";
            var path = pattern.Replace("{id}", id, StringComparison.Ordinal).Replace("{type}", type, StringComparison.Ordinal);
            var (actor, action) = (ActorOf(context, "acme"), $"acme.{pattern.Replace("/{id}", "", StringComparison.Ordinal).Replace("/{type}", ".challenge", StringComparison.Ordinal).Replace('/', '.')}");
            try
            {
                var request = await AcmeRequest.ReadAsync(context, path, signer, server);
                actor = ActorOf(context, request.Account is { } account ? AcmeOrders.OwnerOf(account.Value) : $"acme-key:{request.Key.Thumbprint}");
                await handle(new Call(context, server, request, path, id, type));
                // What only looks is not kept.
                if (request.Payload.Length > 0)
                    audit.Done(actor, action, path);
            }
            catch (Exception e) when (e is AcmeException or JoseException or CandelaException)
            {
                audit.Refused(actor, action, Printable.Of(path), e);
                throw;
            }
        }));

    private static Actor ActorOf(HttpContext context, string name) => Actor.Unproven(name, context.Connection.RemoteIpAddress?.ToString() ?? "");

    /// <summary>Every answer has a new nonce and points to the directory; every failure is a problem of section 6.7.</summary>
    private static async Task RunAsync(HttpContext context, AcmeServer server, Func<Task> handle)
    {
        var headers = context.Response.Headers;
        headers["Replay-Nonce"] = server.Nonces.New();
        headers.CacheControl = "no-store";
        headers.Link = $"<{server.Options.Url(Directory)}>;rel=\"index\"";
        try
        {
            await handle();
        }
        catch (AcmeException e)
        {
            if (e.Location is { } location)
                headers.Location = location;
            var algorithms = e.Type == "badSignatureAlgorithm" ? AcmeRequest.Algorithms : null;
            await WriteProblemAsync(context, new ProblemBody(ProblemBody.Urn(e.Type), e.Message, e.Status, algorithms));
        }
        catch (JoseException e)
        {
            await WriteProblemAsync(context, new ProblemBody(ProblemBody.Urn("malformed"), e.Message, StatusCodes.Status400BadRequest));
        }
        catch (CandelaException e)
        {
            await WriteProblemAsync(context, new ProblemBody(ProblemBody.Urn("serverInternal"), e.Message, StatusCodes.Status500InternalServerError));
        }
    }

    private static async Task NewAccountAsync(Call call)
    {
        var (account, isNew) = await call.Server.Accounts.CreateAsync(call.Request.Key, call.Request.Object, call.Cancellation);
        call.Context.Response.Headers.Location = call.Url($"account/{account.Id}");
        await WriteAsync(call.Context, isNew ? StatusCodes.Status201Created : StatusCodes.Status200OK, call.BodyOf(account), AcmeBodies.Default.AccountBody);
    }

    private static async Task AccountAsync(Call call)
    {
        var account = call.Own();
        var changed = call.Request.Payload.Length == 0 ? account.Value : await call.Server.Accounts.UpdateAsync(account, call.Request.Object, call.Cancellation);
        await WriteAsync(call.Context, StatusCodes.Status200OK, call.BodyOf(changed), AcmeBodies.Default.AccountBody);
    }

    private static async Task OrdersAsync(Call call)
    {
        call.RequireNoPayload();
        var orders = await call.Server.Orders.ListAsync(call.Own().Value, call.Cancellation);
        await WriteAsync(call.Context, StatusCodes.Status200OK, new OrdersBody([.. orders.Select(id => call.Url($"order/{id}"))]), AcmeBodies.Default.OrdersBody);
    }

    private static async Task KeyChangeAsync(Call call)
    {
        var account = await call.Server.Accounts.ChangeKeyAsync(call.Request.Caller, call.Request.Object, call.Url(call.Path), call.Cancellation);
        call.Context.Response.Headers.Location = call.Url($"account/{account.Id}");
        await WriteAsync(call.Context, StatusCodes.Status200OK, call.BodyOf(account), AcmeBodies.Default.AccountBody);
    }

    private static async Task NewOrderAsync(Call call)
    {
        var order = await call.Server.Orders.CreateAsync(call.Account, call.Request.Object, call.Cancellation);
        call.Context.Response.Headers.Location = call.Url($"order/{order.Id}");
        await WriteAsync(call.Context, StatusCodes.Status201Created, call.BodyOf(order), AcmeBodies.Default.OrderBody);
    }

    private static async Task OrderAsync(Call call)
    {
        call.RequireNoPayload();
        var order = await call.Server.Orders.GetAsync(call.Account, call.Id, call.Cancellation);
        await WriteAsync(call.Context, StatusCodes.Status200OK, call.BodyOf(order.Value), AcmeBodies.Default.OrderBody);
    }

    private static async Task FinalizeAsync(Call call)
    {
        var order = await call.Server.Orders.FinalizeAsync(call.Account, call.Request.Key, call.Id, call.Request.Object, call.Cancellation);
        call.Context.Response.Headers.Location = call.Url($"order/{order.Id}");
        await WriteAsync(call.Context, StatusCodes.Status200OK, call.BodyOf(order), AcmeBodies.Default.OrderBody);
    }

    private static async Task CertificateAsync(Call call)
    {
        call.RequireNoPayload();
        var pem = await call.Server.Orders.CertificateAsync(call.Account, call.Id, call.Cancellation);
        call.Context.Response.ContentType = "application/pem-certificate-chain";
        await call.Context.Response.WriteAsync(pem, call.Cancellation);
    }

    private static async Task AuthorizationAsync(Call call)
    {
        var stored = await call.Server.Orders.AuthorizationAsync(call.Account, call.Id, call.Cancellation);
        var authorization = stored.Value;
        if (call.Request.Payload.Length > 0)
        {
            if (call.Request.Object.Text("status") != "deactivated")
                throw AcmeException.Malformed("an authorization's status can be changed to deactivated only");
            authorization = await call.Server.Orders.DeactivateAsync(stored, call.Cancellation);
        }

        await WriteAsync(call.Context, StatusCodes.Status200OK, call.BodyOf(authorization), AcmeBodies.Default.AuthorizationBody);
    }

    private static async Task ChallengeAsync(Call call)
    {
        // POST-as-GET looks at it, a response tries it.
        var authorization = call.Request.Payload.Length == 0
            ? (await call.Server.Orders.AuthorizationAsync(call.Account, call.Id, call.Cancellation)).Value
            : await call.Server.Orders.ChallengeAsync(call.Account, call.Id, call.Type, call.Request.Object, call.Cancellation);
        if (!call.Server.Orders.ChallengeTypes.Contains(call.Type))
            throw AcmeException.NotFound("challenge");
        call.Context.Response.Headers.Append("Link", $"<{call.Url($"authorization/{call.Id}")}>;rel=\"up\"");
        await WriteAsync(call.Context, StatusCodes.Status200OK, call.BodyOf(authorization, call.Type), AcmeBodies.Default.ChallengeBody);
    }

    private static async Task RevokeAsync(Call call)
    {
        await call.Server.RevokeAsync(call.Request, call.Cancellation);
        call.Context.Response.StatusCode = StatusCodes.Status200OK;
    }

    private static DirectoryBody DirectoryOf(AcmeOptions options) => new(
        options.Url(NewNonce), options.Url(NewAccount), options.Url(NewOrder), options.Url(RevokeCert), options.Url(KeyChange), new DirectoryMeta(options.OpenDomains.Count == 0));

    private static Task WriteAsync<T>(HttpContext context, int status, T body, JsonTypeInfo<T> type)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(body, type, "application/json", context.RequestAborted);
    }

    private static Task WriteProblemAsync(HttpContext context, ProblemBody problem)
    {
        context.Response.StatusCode = problem.Status!.Value;
        return context.Response.WriteAsJsonAsync(problem, AcmeBodies.Default.ProblemBody, ProblemBody.MediaType, context.RequestAborted);
    }

    private sealed record Call(HttpContext Context, AcmeServer Server, AcmeRequest Request, string Path, string Id, string Type)
    {
        public CancellationToken Cancellation => Context.RequestAborted;

        public AcmeAccount Account => Request.Caller.Value;

        public string Url(string path) => Server.Options.Url(path);

        /// <summary>The account of the address, which must be the one that signed.</summary>
        public Stored<AcmeAccount> Own() => Request.Caller.Value.Id == Id ? Request.Caller : throw AcmeException.Unauthorized("this is another account");

        public void RequireNoPayload()
        {
            if (Request.Payload.Length > 0)
                throw AcmeException.Malformed("this is read by a request with an empty payload (POST-as-GET)");
        }

        public AccountBody BodyOf(AcmeAccount account) => new(Text(account.Status), account.Contacts, Url($"account/{account.Id}/orders"));

        public OrderBody BodyOf(AcmeOrder order) => new(
            Text(order.Status),
            order.ExpiresAt,
            [.. order.Names.Select(name => new IdentifierBody("dns", name))],
            [.. order.Authorizations.Select(id => Url($"authorization/{id}"))],
            Url($"order/{order.Id}/finalize"),
            order.Serial is null ? null : Url($"order/{order.Id}/certificate"),
            order.Error is null ? null : ProblemBody.Of(order.Error));

        public AuthorizationBody BodyOf(AcmeAuthorization authorization) => new(
            Text(authorization.Status),
            authorization.ExpiresAt,
            new IdentifierBody("dns", authorization.Name),
            [.. Server.Orders.ChallengeTypes.Where(type => authorization.Challenge is null || authorization.Challenge == type).Select(type => BodyOf(authorization, type))]);

        public ChallengeBody BodyOf(AcmeAuthorization authorization, string type)
        {
            var isTried = authorization.Challenge == type;
            var status = !isTried ? AcmeStatus.Pending : authorization.Error is null ? AcmeStatus.Valid : AcmeStatus.Invalid;
            return new ChallengeBody(
                type,
                Url($"authorization/{authorization.Id}/{type}"),
                Text(status),
                authorization.Token,
                isTried ? authorization.ValidatedAt : null,
                isTried && authorization.Error is { } error ? ProblemBody.Of(error) : null);
        }

        private static string Text(AcmeStatus status) => JsonNamingPolicy.CamelCase.ConvertName(status.ToString());
    }
}
