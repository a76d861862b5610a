namespace Candela.Acceptance;

/// <summary>Runs alone, after all others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class LastCollection
{
    public const string Name = "last";
}

/// <summary>When all tests are through, and everything is removed and stopped, the host is as it was.</summary>
[Collection(LastCollection.Name)]
public sealed class RemainsTests(Platform platform, RestartPlatform restarts)
{
    [Fact]
    public Task Nothing_is_left_of_the_instance_that_was_shared() => platform.EndAsync();

    [Fact]
    public Task Nothing_is_left_of_the_instance_whose_daemon_was_killed() => restarts.EndAsync();
}
