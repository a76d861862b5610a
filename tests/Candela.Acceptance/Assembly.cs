// The instance that most tests share, and the one whose daemon is killed. Classes run side by side, as users do; more at once
// would only wait for the CPUs.
[assembly: AssemblyFixture(typeof(Candela.Acceptance.Harness.Platform))]
[assembly: AssemblyFixture(typeof(Candela.Acceptance.RestartPlatform))]
[assembly: CollectionBehavior(MaxParallelThreads = 3)]
