using Candela.Model;
using Candela.Docker.Images;

namespace Candela.Docker.Http;

/// <summary>What a route's path names; decides the text of a 404.</summary>
internal enum Subject
{
    None,
    Container,
    Exec,
    Image,
}

/// <summary>Candela's error codes as Docker's HTTP statuses and texts.</summary>
internal static class ErrorTranslation
{
    private static readonly string[] KnownCauses =
        ["executable file not found", "no such file or directory", "permission denied", "is a directory"];

    public static int StatusOf(ErrorCode code) => code switch
    {
        ErrorCode.InvalidArgument or ErrorCode.ImageInvalid or ErrorCode.CommandNotFound or ErrorCode.CommandNotExecutable => 400,
        ErrorCode.Unauthenticated => 401,
        ErrorCode.PermissionDenied => 403,
        ErrorCode.NotFound or ErrorCode.ImageNotFound => 404,
        ErrorCode.AlreadyExists or ErrorCode.Conflict => 409,
        ErrorCode.NotModified => 304,
        ErrorCode.NotSupported => 501,
        ErrorCode.Unavailable => 503,
        ErrorCode.DeadlineExceeded => 504,
        ErrorCode.ResourceExhausted => 507,
        _ => 500,
    };

    public static DockerException Translate(CandelaException error, Subject subject, string? reference) => (error.Code, subject) switch
    {
        (ErrorCode.NotFound, Subject.Container) => DockerException.NotFound($"No such container: {reference}"),
        (ErrorCode.NotFound, Subject.Exec) => DockerException.NotFound($"No such exec instance: {reference}"),
        (ErrorCode.NotFound or ErrorCode.ImageNotFound, Subject.Image) =>
            DockerException.NotFound($"No such image: {ImageNames.WithDefaultTag(reference ?? "")}"),
        _ => new DockerException(StatusOf(error.Code), error.Message),
    };

    /// <summary>
    /// The text of a failed start. The docker CLI makes its exit code 127 or 126 of "executable file not found",
    /// "no such file or directory" and "permission denied" in it.
    /// </summary>
    public static string StartFailure(CandelaException error, string program) =>
        $"failed to create task for container: failed to start the process in the micro-VM: {Cause(error, program)}: unknown";

    /// <summary>The text of a failed exec, written to its terminal.</summary>
    public static string ExecFailure(CandelaException error, string program) =>
        $"exec failed: unable to start container process: {Cause(error, program)}: unknown";

    private static string Cause(CandelaException error, string program)
    {
        var cause = error.Message.TrimEnd('.');
        if (KnownCauses.Any(known => cause.Contains(known, StringComparison.Ordinal)))
            return cause;
        return error.Code switch
        {
            ErrorCode.CommandNotFound when program.Contains('/', StringComparison.Ordinal) =>
                $"exec: \"{program}\": stat {program}: no such file or directory",
            ErrorCode.CommandNotFound => $"exec: \"{program}\": executable file not found in $PATH",
            _ => $"exec: \"{program}\": permission denied ({cause})",
        };
    }
}
