using System.Text;
using Candela.Guest;
using Candela.Guest.Boot;
using Candela.Guest.Channel;
using Candela.Guest.Container;
using Candela.Guest.Loop;
using Candela.Guest.Native;

if (Environment.ProcessId != 1)
{
    Say("candela-guest is process 1 of a micro-VM and nothing else.\n");
    return 64;
}

try
{
    _ = Libc.signal(Linux.SIGPIPE, 1);
    Modules.Load();
    AgentRoot.Enter();
    ProcessDefaults.Apply();
    DiskQueues.Simplify();
    ContainerRoot.Prepare();
    Loopback.SwitchOn();
    CardDrawer.Fill();
    var loop = new EventLoop();
    var link = new HostLink(AgentPort.Open(), loop);
    while (true)
        loop.Turn(link.Pump());
}
catch (Exception failure)
{
    Say($"candela-guest: {failure}\n");
    Power.Reboot();
    return 1;
}

static unsafe void Say(string text)
{
    var encoded = Encoding.UTF8.GetBytes(text);
    fixed (byte* bytes = encoded)
        _ = Libc.write(2, bytes, (nuint)encoded.Length);
}
