using System.IO.Pipelines;

namespace Candela.Controller.Transport;

/// <summary>
/// Lets a request handler leave HTTP and go on with the raw connection ("hijacking"). Unlike <c>IHttpUpgradeFeature</c> it works
/// after a request with a body, with or without an <c>Upgrade</c> header, and knows half-closed peers.
/// </summary>
public interface IConnectionTakeoverFeature
{
    /// <summary>
    /// Takes the connection over. The request's body must have been read to its end, and nothing of the response may have been
    /// written. From now on the server sees an ended input and its output goes nowhere; the caller writes its own status line.
    /// Input completes when the peer closes its writing side; completing the output closes ours after what was written has been sent.
    /// </summary>
    /// <exception cref="InvalidOperationException">It has been taken over before.</exception>
    IDuplexPipe TakeOver();
}
