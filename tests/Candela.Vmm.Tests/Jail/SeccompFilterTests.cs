using Candela.Vmm.Jail;

namespace Candela.Vmm.Tests.Jail;

/// <summary>The filter's program, run by the rules of classic BPF.</summary>
public sealed class SeccompFilterTests
{
    private const uint Kill = 0x80000000, Allow = 0x7fff0000, Refuse = 0x00050001, X86_64 = 0xc000003e;

    [Fact]
    public void Calls_are_allowed_refused_or_the_end()
    {
        for (uint number = 0; number < 600; number++)
        {
            uint expected = SystemCalls.Allowed.Contains((int)number) ? Allow : SystemCalls.Refused.Contains((int)number) ? Refuse : Kill;
            Assert.Equal(expected, Run(number, X86_64));
        }
    }

    [Theory]
    [InlineData(1u, 0x40000003u)] // 32-bit
    [InlineData(1u, 0xc00000b7u)] // arm64
    [InlineData(0x40000001u, X86_64)] // x32
    public void Other_interfaces_are_the_end(uint number, uint architecture) => Assert.Equal(Kill, Run(number, architecture));

    [Theory]
    [InlineData(57)] // fork
    [InlineData(59)] // execve
    [InlineData(41)] // socket
    [InlineData(101)] // ptrace
    [InlineData(165)] // mount
    [InlineData(272)] // unshare
    [InlineData(310)] // process_vm_readv
    [InlineData(435)] // clone3
    public void What_a_VMM_never_does_is_the_end(int number) => Assert.Equal(Kill, Run((uint)number, X86_64));

    [Fact]
    public void No_call_is_listed_twice()
    {
        int[] all = [.. SystemCalls.Allowed, .. SystemCalls.Refused];
        Assert.Equal(all.Length, all.Distinct().Count());
    }

    private static uint Run(uint number, uint architecture)
    {
        SeccompFilter.Instruction[] program = SeccompFilter.Build(SystemCalls.Allowed, SystemCalls.Refused);
        Assert.InRange(program.Length, 1, 4096); // BPF_MAXINSNS
        uint accumulator = 0;
        for (int at = 0; ; at++)
        {
            SeccompFilter.Instruction instruction = program[at];
            switch (instruction.Code)
            {
                case 0x20:
                    accumulator = instruction.Operand == 0 ? number : architecture;
                    break;
                case 0x15:
                    at += accumulator == instruction.Operand ? instruction.IfTrue : instruction.IfFalse;
                    break;
                default:
                    return instruction.Operand;
            }
        }
    }
}
