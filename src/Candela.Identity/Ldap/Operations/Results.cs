using Candela.Identity.Ldap.Protocol;
using Candela.Model;

namespace Candela.Identity.Ldap.Operations;

/// <summary>Failures of the directory as LDAP tells them.</summary>
internal static class Results
{
    /// <summary>The result of a failure.</summary>
    public static LdapResult Of(CandelaException failure) => failure.InnerException is LdapException told ? told.Result : new(
        failure.Code switch
        {
            ErrorCode.InvalidArgument => ResultCode.ConstraintViolation,
            ErrorCode.Unauthenticated => ResultCode.InvalidCredentials,
            ErrorCode.PermissionDenied => ResultCode.InsufficientAccessRights,
            ErrorCode.NotFound => ResultCode.NoSuchObject,
            ErrorCode.AlreadyExists => ResultCode.EntryAlreadyExists,
            ErrorCode.Conflict => ResultCode.Busy,
            ErrorCode.ResourceExhausted => ResultCode.AdminLimitExceeded,
            ErrorCode.NotSupported => ResultCode.UnwillingToPerform,
            ErrorCode.Unavailable or ErrorCode.DeadlineExceeded => ResultCode.Unavailable,
            _ => ResultCode.Other,
        },
        failure.Message);
}
