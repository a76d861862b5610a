namespace Candela.Vmm.Virtio;

/// <summary>The device status field (virtio 1.2, section 2.1).</summary>
[Flags]
internal enum DeviceStatus : uint
{
    /// <summary>The driver has reset the device.</summary>
    None = 0,

    /// <summary>ACKNOWLEDGE: the guest has found the device.</summary>
    Acknowledge = 1,

    /// <summary>DRIVER: the guest has a driver for it.</summary>
    Driver = 2,

    /// <summary>DRIVER_OK: the driver is ready; the device works.</summary>
    DriverOk = 4,

    /// <summary>FEATURES_OK: features are agreed.</summary>
    FeaturesOk = 8,

    /// <summary>DEVICE_NEEDS_RESET: the device met an error from which it cannot recover.</summary>
    NeedsReset = 64,

    /// <summary>FAILED: the driver has given up.</summary>
    Failed = 128,
}
