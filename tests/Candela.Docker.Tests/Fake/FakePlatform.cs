using Candela.Controller.Api;

namespace Candela.Docker.Tests.Fake;

/// <summary>A platform that is as far as the test wants.</summary>
internal sealed class FakePlatform : IPlatformStatus
{
    public bool Ready { get; set; } = true;

    public string? Preparing { get; set; }

    public string? Error { get; set; }

    public string Version => "1.2.3";

    public int Pid => 4711;

    public DateTimeOffset StartedAt => new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public int ContainerCount => 3;

    public int RunningCount => 2;
}
