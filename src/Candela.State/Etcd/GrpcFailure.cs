namespace Candela.State.Etcd;

/// <summary>A call did not do what it was to do.</summary>
/// <param name="status">Status code of gRPC (https://github.com/grpc/grpc/blob/master/doc/statuscodes.md); <see cref="Unavailable"/> where the connection failed.</param>
/// <param name="message">The server's words, or the connection's.</param>
/// <param name="wasSent">The server may have carried it out all the same.</param>
/// <param name="inner">Cause.</param>
internal sealed class GrpcFailure(int status, string message, bool wasSent, Exception? inner = null) : Exception(message, inner)
{
    public const int NotFound = 5;
    public const int ResourceExhausted = 8;
    public const int OutOfRange = 11;
    public const int Unavailable = 14;

    public int Status { get; } = status;

    public bool WasSent { get; } = wasSent;
}
