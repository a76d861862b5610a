using Candela.Microvisor;
using Candela.Network;
using Microsoft.Win32.SafeHandles;

namespace Candela.Daemon;

/// <summary>The network's spare taps, for the microvisor.</summary>
internal sealed class NetworkTaps(MachineNetwork network) : ITapSource
{
    public MicroVmTap Create(int card)
    {
        (string name, SafeFileHandle descriptor) = network.CreateSpareTap(isWantedSoon: card == 0);
        return new MicroVmTap(name, descriptor);
    }
}
