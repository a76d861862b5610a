namespace Candela.Vmm.Native;

/// <summary>
/// SIGUSR1, which makes a vCPU's thread leave the guest. Its handler is a lone return instruction on a page of its own: a managed handler
/// would end the process when the signal meets managed code.
/// </summary>
internal static unsafe class WakeSignal
{
    private const byte Return = 0xc3;
    private const int PageBytes = 4096;
    private static readonly void* Ignore = (void*)1; // SIG_IGN

    /// <summary>Installs the handler, without restart of system calls. A write to a closed socket becomes an error instead of SIGPIPE.</summary>
    public static void Install()
    {
        void* page = Libc.mmap(null, PageBytes, Linux.PROT_READ | Linux.PROT_WRITE, Linux.MAP_PRIVATE | Linux.MAP_ANONYMOUS, -1, 0);
        if (page == (void*)-1)
            throw new NativeException("mmap", Errno.Last);
        *(byte*)page = Return;
        Errno.Check(Libc.mprotect(page, PageBytes, Linux.PROT_READ | Linux.PROT_EXEC), "mprotect");
        SignalAction action = new() { Handler = page };
        Errno.Check(Libc.sigaction(Linux.SIGUSR1, &action, null), "sigaction");
        action.Handler = Ignore;
        Errno.Check(Libc.sigaction(Linux.SIGPIPE, &action, null), "sigaction");
    }

    /// <summary>This thread's id, for <see cref="Send"/>.</summary>
    public static int CurrentThread() => (int)Libc.syscall(Linux.SYS_gettid, 0, 0, 0);

    /// <summary>Wakes a thread of this process.</summary>
    public static void Send(int thread) => _ = Libc.syscall(Linux.SYS_tgkill, Environment.ProcessId, thread, Linux.SIGUSR1);
}
