using Candela.Controller.Api.Access;
using Candela.Controller.Api.Http;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Model;
using Candela.Model.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Candela.Controller.Api.Identity;

/// <summary>What accounts do for themselves: each call brings the password, and the code where there is a second factor.</summary>
internal static class SelfEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var self = api.MapGroup("/self").WithTags("Self-service");
        self.MapPost("/password", ChangePasswordAsync).Access(RouteAccess.Own).Describe("changeOwnPassword", "Changes one's own password");
        self.MapPost("/second-factor", BeginTotpAsync).Access(RouteAccess.Own).Describe("beginOwnSecondFactor", "Makes a key for one-time codes (RFC 6238), which counts once it is confirmed", ErrorCode.Conflict);
        self.MapPost("/second-factor/confirm", ConfirmTotpAsync).Access(RouteAccess.Own).Describe("confirmOwnSecondFactor", "Puts the new key in force by a code of it; gives recovery codes", ErrorCode.Conflict);
        self.MapPost("/recovery-codes", RenewRecoveryCodesAsync).Access(RouteAccess.Own).Describe("renewOwnRecoveryCodes", "Makes new recovery codes in place of the former ones", ErrorCode.Conflict);
    }

    private static async Task<NoContent> ChangePasswordAsync(ChangePasswordRequest request, HttpContext http, SelfService self, CancellationToken cancellationToken)
    {
        await self.ChangePasswordAsync(http.Actor, LoginName.Parse(request.Login), request.Password, request.Code, request.NewPassword, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<TotpReport>> BeginTotpAsync(SelfRequest request, HttpContext http, SelfService self, CancellationToken cancellationToken)
    {
        var enrolment = await self.BeginTotpAsync(http.Actor, LoginName.Parse(request.Login), request.Password, cancellationToken);
        return TypedResults.Ok(new TotpReport(enrolment.Secret, enrolment.Uri));
    }

    private static async Task<Ok<RecoveryCodesReport>> ConfirmTotpAsync(SelfRequest request, HttpContext http, SelfService self, CancellationToken cancellationToken) =>
        TypedResults.Ok(new RecoveryCodesReport(await self.ConfirmTotpAsync(http.Actor, LoginName.Parse(request.Login), request.Password, Code(request), cancellationToken)));

    private static async Task<Ok<RecoveryCodesReport>> RenewRecoveryCodesAsync(SelfRequest request, HttpContext http, SelfService self, CancellationToken cancellationToken) =>
        TypedResults.Ok(new RecoveryCodesReport(await self.RenewRecoveryCodesAsync(http.Actor, LoginName.Parse(request.Login), request.Password, Code(request), cancellationToken)));

    private static string Code(SelfRequest request) => request.Code ?? throw new CandelaException(ErrorCode.InvalidArgument, "code is missing: give the one-time code that the device shows");
}
