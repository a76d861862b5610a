using Candela.Vmm.Kvm;
using Candela.Vmm.Native;

namespace Candela.Vmm.Machine;

/// <summary>Runs a vCPU on a thread of its own; paused at first.</summary>
internal sealed class VCpuThread
{
    private const int StackBytes = 256 * 1024;

    private readonly VCpu _vCpu;
    private readonly IExitHandler _handler;
    private readonly Action<VCpuThread> _onEnded;
    private readonly object _gate = new();
    private Thread? _thread;
    private int _threadId;
    private bool _pauseWanted = true;
    private bool _isPaused;
    private Action<VCpu>? _work;
    private Exception? _workFailure;

    /// <summary>Makes it; <paramref name="onEnded"/> is called on its thread when the vCPU cannot go on.</summary>
    public VCpuThread(VCpu vCpu, IExitHandler handler, Action<VCpuThread> onEnded)
    {
        _vCpu = vCpu;
        _handler = handler;
        _onEnded = onEnded;
    }

    /// <summary>Why it ended.</summary>
    public RunResult Result { get; private set; } = RunResult.Again;

    /// <summary>For people: why it ended, with registers.</summary>
    public string Detail { get; private set; } = "";

    /// <summary>Starts the thread and waits until it stands at the gate, paused.</summary>
    public void Start()
    {
        _thread = new Thread(Loop, StackBytes) { IsBackground = true, Name = $"vcpu{_vCpu.Index}" };
        _thread.Start();
        WaitUntilPaused();
    }

    /// <summary>Asks it to stop running guest code; <see cref="WaitUntilPaused"/> tells when it has.</summary>
    public void RequestPause()
    {
        lock (_gate)
        {
            _pauseWanted = true;
            _vCpu.RequestExit(true);
            if (!_isPaused && _threadId != 0)
                WakeSignal.Send(_threadId);
        }
    }

    /// <summary>Waits until the vCPU stands still, its last access finished, or has ended.</summary>
    public void WaitUntilPaused()
    {
        lock (_gate)
        {
            while (!_isPaused && Result == RunResult.Again)
                Monitor.Wait(_gate);
        }
    }

    /// <summary>Lets it run.</summary>
    public void Resume()
    {
        lock (_gate)
        {
            _pauseWanted = false;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Does something with the paused vCPU on its own thread, as KVM wants, and waits for it.</summary>
    /// <exception cref="KvmException">KVM refused.</exception>
    public void Invoke(Action<VCpu> work)
    {
        lock (_gate)
        {
            _work = work;
            _workFailure = null;
            Monitor.PulseAll(_gate);
            while (_work is not null)
                Monitor.Wait(_gate);
            if (_workFailure is not null)
                throw new KvmException(_workFailure.Message);
        }
    }

    private void Loop()
    {
        _threadId = WakeSignal.CurrentThread();
        RunResult result = RunResult.Again;
        while (result == RunResult.Again)
        {
            if (Volatile.Read(ref _pauseWanted))
                StandStill();
            result = _vCpu.Run(_handler);
        }

        Detail = result == RunResult.Reset ? $"vCPU {_vCpu.Index}: reset by the keyboard controller" : _vCpu.Describe();
        lock (_gate)
        {
            Result = result;
            Monitor.PulseAll(_gate);
        }

        _onEnded(this);
    }

    private void StandStill()
    {
        // An access that was handled is finished by KVM at the next run only.
        _vCpu.CompleteAccess();
        lock (_gate)
        {
            _isPaused = true;
            Monitor.PulseAll(_gate);
            while (_pauseWanted)
            {
                if (_work is { } work)
                {
                    try
                    {
                        work(_vCpu);
                    }
                    catch (KvmException e)
                    {
                        _workFailure = e;
                    }

                    _work = null;
                    Monitor.PulseAll(_gate);
                }
                else
                {
                    Monitor.Wait(_gate);
                }
            }

            _isPaused = false;
            _vCpu.RequestExit(false);
        }
    }
}
