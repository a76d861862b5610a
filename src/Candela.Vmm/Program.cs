using Candela.Vmm.Boot;
using Candela.Vmm.Kvm;
using Candela.Vmm.Machine;
using Candela.Vmm.Native;

const int GuestReset = 0, GuestCrashed = 1, NotStarted = 2, WrongArguments = 64;

if (args is ["--help"])
{
    Console.Out.WriteLine(Options.Usage);
    return 0;
}

try
{
    WakeSignal.Install();
    MicroVm vm = new(Options.Parse(args));
    vm.Start();
    vm.Resume();
    VCpuThread ended = vm.Serve();
    if (ended.Result == RunResult.Reset)
        return GuestReset;
    Console.Error.WriteLine($"candela-vmm: the guest crashed: {ended.Result}: {ended.Detail}");
    Console.Error.WriteLine(vm.ReadConsole());
    return GuestCrashed;
}
catch (CommandLineException e)
{
    Console.Error.WriteLine($"candela-vmm: {e.Message}; see candela-vmm --help");
    return WrongArguments;
}
catch (Exception e) when (e is KvmException or BootException or NativeException)
{
    Console.Error.WriteLine($"candela-vmm: {e.Message}");
    return NotStarted;
}
