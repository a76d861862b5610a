using Candela.Vmm.Acpi;
using Candela.Vmm.Kvm;
using Candela.Vmm.State;

namespace Candela.Vmm.Tests.Kvm;

public sealed class IoApicTests
{
    private readonly Router _router = new();
    private readonly IoApic _apic;

    public IoApicTests() => _apic = new IoApic(_router);

    [Fact]
    public void Tells_version_and_pins()
    {
        _apic.Write(0, 1);
        Assert.Equal(0x0017_0011u, _apic.Read(0x10));
    }

    [Fact]
    public void Unmasked_pins_become_routes()
    {
        Redirect(5, 0x0300_0000_0000_0031); // vector 0x31, physical destination 3
        Assert.Equal([new InterruptRoute(5, 0xfee0_3000, 0x4031)], _router.Routes);
        Redirect(7, 0xff00_0000_0000_0941); // lowest priority, logical destination
        Assert.Equal(new InterruptRoute(7, 0xfeef_f004, 0x4141), _router.Routes[1]);
        Redirect(5, 0x0300_0000_0001_0031);
        Assert.Equal(7, Assert.Single(_router.Routes).Gsi);
    }

    [Fact]
    public void Registers_that_are_not_there_read_zero()
    {
        foreach (uint select in (ReadOnlySpan<uint>)[3, 0x0f, 0x10 + 2 * Platform.IoApicPins, 0xff])
        {
            _apic.Write(0, select);
            _apic.Write(0x10, uint.MaxValue);
            Assert.Equal(0u, _apic.Read(0x10));
        }

        Assert.Empty(_router.Routes);
    }

    [Fact]
    public void Saved_registers_bring_their_routes_with_them()
    {
        Redirect(9, 0x0100_0000_0000_0042);
        StateWriter saved = new();
        _apic.Save(saved);
        Router router = new();
        StateReader reader = new(saved.Written);
        new IoApic(router).Load(ref reader);
        Assert.Equal(0, reader.Remaining);
        Assert.Equal(_router.Routes, router.Routes);
    }

    private void Redirect(uint pin, ulong entry)
    {
        _apic.Write(0, 0x10 + 2 * pin + 1);
        _apic.Write(0x10, (uint)(entry >> 32));
        _apic.Write(0, 0x10 + 2 * pin);
        _apic.Write(0x10, (uint)entry);
    }

    private sealed class Router : IInterruptRouter
    {
        public InterruptRoute[] Routes { get; private set; } = [];

        public void SetRoutes(ReadOnlySpan<InterruptRoute> routes) => Routes = routes.ToArray();
    }
}
