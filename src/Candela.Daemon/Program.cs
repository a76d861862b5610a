using Candela.Daemon;
using Candela.Model;
using Candela.State;

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
    if (args is [StoreCopy.Command, var from, var to])
    {
        await StoreCopy.RunAsync(from, to);
        return 0;
    }

    DaemonOptions options = DaemonOptions.Parse(args);
    if (Environment.UserName != "root")
        throw new CandelaException(ErrorCode.PermissionDenied, "candelad isolates each micro-VM under a user id of its own and needs root for that: sudo candelad");
    return await DaemonHost.RunAsync(options);
}
catch (Exception e) when (e is ArgumentException or FormatException)
{
    await Console.Error.WriteLineAsync($"candelad: {e.Message}; see candelad --help");
    return 2;
}
catch (Exception e) when (e is CandelaException or StateStoreException or IOException or UnauthorizedAccessException)
{
    await Console.Error.WriteLineAsync($"candelad: {e.Message}");
    return 1;
}
