using System.Runtime.InteropServices;
using Candela.Vmm.Native;

namespace Candela.Vmm.Jail;

/// <summary>Confines all threads of this process to the system calls of <see cref="SystemCalls"/> (seccomp(2), classic BPF).</summary>
internal static unsafe class SeccompFilter
{
    // include/uapi/linux/bpf_common.h, seccomp.h, audit.h
    private const ushort LoadWord = 0x20; // BPF_LD | BPF_W | BPF_ABS
    private const ushort JumpIfEqual = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    private const ushort Return = 0x06; // BPF_RET | BPF_K
    private const uint NumberAt = 0, ArchitectureAt = 4; // struct seccomp_data
    private const uint AUDIT_ARCH_X86_64 = 0xc000003e;
    private const uint SECCOMP_RET_KILL_PROCESS = 0x80000000;
    private const uint SECCOMP_RET_ERRNO = 0x00050000;
    private const uint SECCOMP_RET_ALLOW = 0x7fff0000;
    private const uint EPERM = 1;
    private const long SYS_seccomp = 317;
    private const int PR_SET_NO_NEW_PRIVS = 38;
    private const long SECCOMP_SET_MODE_FILTER = 1;
    private const long SECCOMP_FILTER_FLAG_TSYNC = 1;

    /// <summary>struct sock_filter: code, jt, jf, k.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Operand);

    /// <summary>The program: each call's number is compared with those of the lists.</summary>
    public static Instruction[] Build(ReadOnlySpan<int> allowed, ReadOnlySpan<int> refused)
    {
        List<Instruction> program =
        [
            new(LoadWord, 0, 0, ArchitectureAt),
            new(JumpIfEqual, 1, 0, AUDIT_ARCH_X86_64),
            new(Return, 0, 0, SECCOMP_RET_KILL_PROCESS),
            new(LoadWord, 0, 0, NumberAt),
        ];
        foreach (int number in allowed)
        {
            program.Add(new Instruction(JumpIfEqual, 0, 1, (uint)number));
            program.Add(new Instruction(Return, 0, 0, SECCOMP_RET_ALLOW));
        }

        foreach (int number in refused)
        {
            program.Add(new Instruction(JumpIfEqual, 0, 1, (uint)number));
            program.Add(new Instruction(Return, 0, 0, SECCOMP_RET_ERRNO | EPERM));
        }

        program.Add(new Instruction(Return, 0, 0, SECCOMP_RET_KILL_PROCESS));
        return [.. program];
    }

    /// <summary>Puts the filter in force for all threads, now and later.</summary>
    /// <exception cref="NativeException">The kernel refused.</exception>
    public static void Install()
    {
        Instruction[] program = Build(SystemCalls.Allowed, SystemCalls.Refused);
        fixed (Instruction* instructions = program)
        {
            // struct sock_fprog: length, padding, pointer.
            nint* description = stackalloc nint[2];
            description[0] = program.Length;
            description[1] = (nint)instructions;
            Errno.Check(Libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
            long result = Libc.syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, (nint)description);
            if (result != 0)
                throw new NativeException("seccomp", Errno.Last);
        }
    }
}
