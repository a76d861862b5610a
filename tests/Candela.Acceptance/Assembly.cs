// The instance that most tests share. Classes run side by side, as users do; more at once would only wait for the CPUs.
[assembly: AssemblyFixture(typeof(Candela.Acceptance.Harness.Platform))]
[assembly: CollectionBehavior(MaxParallelThreads = 3)]
