using Candela.Vmm.Machine;

namespace Candela.Vmm.Tests.Machine;

public sealed class OptionsTests
{
    [Fact]
    public void Everything_is_taken()
    {
        VmSpec spec = Options.Parse(["--memory", "128", "--vcpus", "8", "--state", "3", "--memory-fd", "4", "--memory-private", "--disk0", "5", "--disk1", "6", "--agent", "7", "--control", "8", "--serial", "1", "--kvm", "9", "--paused"]);
        Assert.Equal(128ul << 20, spec.MemoryBytes);
        Assert.Equal((8, 3, 4, 7, 8, 1, 9), (spec.VCpuCount, spec.StateDescriptor, spec.MemoryDescriptor, spec.AgentDescriptor, spec.ControlDescriptor, spec.SerialDescriptor, spec.KvmDescriptor));
        Assert.Equal([5, 6], spec.DiskDescriptors);
        Assert.True(spec.IsMemoryPrivate && spec.StartsPaused);
    }

    [Theory]
    [InlineData("--memory is missing", "--kernel", "3")]
    [InlineData("one of --kernel and --state", "--memory", "128")]
    [InlineData("one of --kernel and --state", "--memory", "128", "--kernel", "3", "--state", "4")]
    [InlineData("--state needs --memory-fd", "--memory", "128", "--state", "3")]
    [InlineData("--memory-private needs --memory-fd", "--memory", "128", "--kernel", "3", "--memory-private")]
    [InlineData("from 1 to 8, not 9", "--vcpus", "9")]
    [InlineData("not -1", "--kernel", "-1")]
    [InlineData("not 99999999999999999999", "--memory", "99999999999999999999")]
    [InlineData("lacks a value", "--memory")]
    [InlineData("there is no option --fast", "--fast", "1")]
    public void Mistakes_are_named(string reason, params string[] arguments) =>
        Assert.Contains(reason, Assert.Throws<CommandLineException>(() => Options.Parse(arguments)).Message, StringComparison.Ordinal);
}
