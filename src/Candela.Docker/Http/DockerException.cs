namespace Candela.Docker.Http;

/// <summary>A failure in Docker's own terms: an HTTP status and the text of <c>{"message": …}</c>.</summary>
internal sealed class DockerException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;

    public static DockerException BadRequest(string message) => new(400, message);

    public static DockerException NotFound(string message) => new(404, message);

    public static DockerException Conflict(string message) => new(409, message);

    public static DockerException NotSupported(string what) => new(501, $"{what} not supported yet by Candela");
}
