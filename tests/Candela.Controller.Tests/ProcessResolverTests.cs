using Candela.Controller.Containers;
using Candela.Images;
using Candela.Model;

namespace Candela.Controller.Tests;

public sealed class ProcessResolverTests
{
    private static readonly ImageConfiguration Image = new()
    {
        Entrypoint = ["/entry"], Command = ["serve"], Environment = ["PATH=/bin", "A=1"], User = "app", WorkingDirectory = "/srv", StopSignal = "SIGQUIT",
    };

    [Theory]
    [InlineData(null, null, "/entry serve")]
    [InlineData(null, "other", "/entry other")]
    [InlineData("sh", null, "sh")]
    [InlineData("sh", "-c x", "sh -c x")]
    [InlineData("", "ls -l", "ls -l")]
    public void Entrypoint_and_command_follow_dockers_rules(string? entrypoint, string? command, string expected)
    {
        var spec = new ContainerSpec { Image = "i", Entrypoint = Split(entrypoint), Command = Split(command) };
        Assert.Equal(expected, string.Join(' ', ProcessResolver.Resolve(spec, Image).Arguments));
    }

    [Fact]
    public void Nothing_to_run_is_refused()
    {
        var failure = Assert.Throws<CandelaException>(() => ProcessResolver.Resolve(new ContainerSpec { Image = "i", Entrypoint = [] }, Image));
        Assert.Equal((ErrorCode.InvalidArgument, "No command specified"), (failure.Code, failure.Message));
    }

    [Fact]
    public void Environment_is_replaced_added_and_removed()
    {
        var spec = new ContainerSpec { Image = "i", Environment = ["PATH=/usr/bin", "A", "B=x=y", "C", "B=2"] };
        Assert.Equal(["PATH=/usr/bin", "B=2"], ProcessResolver.Resolve(spec, Image).Environment);
    }

    [Fact]
    public void The_images_defaults_fill_in()
    {
        var process = ProcessResolver.Resolve(new ContainerSpec { Image = "i" }, Image);
        Assert.Equal(("app", "/srv", 3), (process.User, process.WorkingDirectory, process.StopSignal));
        process = ProcessResolver.Resolve(new ContainerSpec { Image = "i", User = "0", WorkingDirectory = "/w", StopSignal = "9" }, Image);
        Assert.Equal(("0", "/w", 9), (process.User, process.WorkingDirectory, process.StopSignal));
        process = ProcessResolver.Resolve(new ContainerSpec { Image = "i", Command = ["x"] }, new ImageConfiguration());
        Assert.Equal(("", "/", 15), (process.User, process.WorkingDirectory, process.StopSignal));
    }

    [Fact]
    public void Values_out_of_range_are_refused()
    {
        Refused(new ContainerSpec { Image = "i", WorkingDirectory = "relative" });
        Refused(new ContainerSpec { Image = "i", StopSignal = "SIGNOPE" });
        Refused(new ContainerSpec { Image = "i", Command = ["a\0b"] });
        Refused(new ContainerSpec { Image = "i", Entrypoint = [""] });
        Refused(new ContainerSpec { Image = "i", Command = [.. Enumerable.Repeat("x", Limits.ArgumentCount)] });
        Refused(new ContainerSpec { Image = "i", Command = [new string('x', Limits.ArgumentAndEnvironmentBytes)] });
        Refused(new ContainerSpec { Image = "i", Environment = ["=x"] });

        static void Refused(ContainerSpec spec) =>
            Assert.Equal(ErrorCode.InvalidArgument, Assert.Throws<CandelaException>(() => ProcessResolver.Resolve(spec, Image)).Code);
    }

    [Theory]
    [InlineData("TERM", 15)]
    [InlineData("sigkill", 9)]
    [InlineData("28", 28)]
    [InlineData("RTMIN", 34)]
    [InlineData("SIGRTMIN+3", 37)]
    [InlineData("RTMAX-1", 63)]
    [InlineData("0", 0)]
    [InlineData("65", 0)]
    [InlineData("-9", 0)]
    [InlineData("RTMIN-1", 0)]
    [InlineData("RTMIN+31", 0)]
    [InlineData("", 0)]
    public void Signals_have_names_and_numbers(string text, int number)
    {
        if (number > 0)
            Assert.Equal(number, SignalNumbers.Parse(text));
        else
            Assert.Throws<CandelaException>(() => SignalNumbers.Parse(text));
    }

    private static string[]? Split(string? text) => text?.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
