using Candela.Vmm.Boot;
using Candela.Vmm.Jail;
using Candela.Vmm.Kvm;
using Candela.Vmm.Machine;
using Candela.Vmm.Native;
using Candela.Vmm.State;

const int GuestReset = 0, GuestCrashed = 1, NotStarted = 2, WrongArguments = 64;

if (args is ["--help"])
{
    Console.Out.WriteLine(Options.Usage);
    return 0;
}

try
{
    WakeSignal.Install();
    VmSpec spec = Options.Parse(args);
    MicroVm vm = new(spec);
    vm.Start();
    SeccompFilter.Install();
    if (!spec.StartsPaused)
        vm.Resume();
    VCpuThread ended = vm.Serve();
    if (ended.Result == RunResult.Reset)
        return GuestReset;
    StandardError.WriteLine($"candela-vmm: the guest crashed: {ended.Result}: {ended.Detail}");
    StandardError.WriteLine(vm.ReadConsole());
    return GuestCrashed;
}
catch (CommandLineException e)
{
    StandardError.WriteLine($"candela-vmm: {e.Message}; see candela-vmm --help");
    return WrongArguments;
}
catch (Exception e) when (e is KvmException or BootException or NativeException or StateException)
{
    StandardError.WriteLine($"candela-vmm: {e.Message}");
    return NotStarted;
}
