using Candela.Guest.Archives;
using Candela.Guest.Loop;
using Candela.Guest.Native;
using Candela.Guest.Processes;
using Candela.Guest.Protocol;

namespace Candela.Guest.Channel;

/// <summary>
/// The port to the host, edge-triggered: without a host it reports a hang-up once and is silent then.
/// </summary>
internal sealed class HostLink : IEventSource
{
    private const int FillsATurn = 16;

    // A host that asks without reading answers is not read any more.
    private const int PendingMostBytes = 1024 * 1024;

    // An edge that a device model swallowed costs at most this long.
    private const int RetryMilliseconds = 500;

    private readonly int _port;
    private readonly FrameReceiver _receiver = new();
    private readonly FrameSender _sender;
    private readonly OutputQueue _outputs;
    private readonly ArchiveTransfers _archives;
    private readonly Agent _agent;
    private bool _canRead = true;

    public HostLink(int port, EventLoop loop)
    {
        _port = port;
        _sender = new FrameSender();
        _outputs = new OutputQueue();
        _archives = new ArchiveTransfers(_sender);
        _agent = new Agent(loop, _sender, _outputs, _archives);
        loop.Add(port, Linux.EPOLLIN | Linux.EPOLLOUT | Linux.EPOLLET, this);
    }

    /// <inheritdoc/>
    public void OnReady(uint events)
    {
        _canRead = true;
        if ((events & Linux.EPOLLHUP) != 0)
            _agent.Disconnect();
    }

    /// <summary>Handles what the host sent and sends what there is; the result is how long the loop may wait, milliseconds.</summary>
    public int Pump()
    {
        _outputs.Pace.Wait();
        Read();
        var isBlocked = !Write();
        if (_agent.IsPoweringOff && !isBlocked)
            Power.Reboot();
        return isBlocked ? RetryMilliseconds : _canRead ? 0 : -1;
    }

    private void Read()
    {
        for (var i = 0; i < FillsATurn && _canRead && _sender.PendingBytes < PendingMostBytes; i++)
        {
            _canRead = _receiver.Fill(_port);
            while (_receiver.TryNext(out var header, out var payload))
                _agent.Handle(header, payload);
        }
    }

    private bool Write()
    {
        do
        {
            while (_sender.PendingBytes < ProtocolLimits.DataFrameBytes && SendNext())
            {
            }
            if (!_sender.Flush(_port))
                return false;
        }
        while (SendNext());
        return true;
    }

    private bool SendNext() => _outputs.SendNext(_sender) | _archives.SendNext();
}
