using Candela.Daemon;
using Candela.Model;

if (args is ["--help" or "-h"])
{
    Console.WriteLine(DaemonOptions.Help);
    return 0;
}

if (args is ["--version"])
{
    Console.WriteLine($"candelad {Platform.ProductVersion}");
    return 0;
}

try
{
    DaemonOptions options = DaemonOptions.Parse(args);
    if (Environment.UserName != "root")
        throw new CandelaException(ErrorCode.PermissionDenied, "candelad isolates each micro-VM under a user id of its own and needs root for that: sudo candelad");
    return await DaemonHost.RunAsync(options);
}
catch (ArgumentException e)
{
    await Console.Error.WriteLineAsync($"candelad: {e.Message}; see candelad --help");
    return 2;
}
catch (Exception e) when (e is CandelaException or IOException or UnauthorizedAccessException)
{
    await Console.Error.WriteLineAsync($"candelad: {e.Message}");
    return 1;
}
