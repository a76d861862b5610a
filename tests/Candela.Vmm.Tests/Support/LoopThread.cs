using Candela.Vmm.Loop;
using Candela.Vmm.Native;

namespace Candela.Vmm.Tests.Support;

/// <summary>A device thread.</summary>
internal sealed class LoopThread : IDisposable, IEventSource
{
    private readonly EventLoop _loop = new();
    private readonly EventFd _wake = new();
    private readonly Thread _thread;
    private volatile bool _isEnding;

    public LoopThread()
    {
        _loop.Add(_wake.Descriptor, Linux.EPOLLIN, this);
        _thread = new Thread(() =>
        {
            while (!_isEnding)
                _loop.Turn();
        });
    }

    /// <summary>Sets something up and starts the thread.</summary>
    public void Run(Action<EventLoop> setUp)
    {
        setUp(_loop);
        _thread.Start();
    }

    public void OnReady(uint events) => _wake.Clear();

    public void Dispose()
    {
        _isEnding = true;
        _wake.Raise();
        _thread.Join();
    }
}
