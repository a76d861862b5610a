using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Cli.Terminal;
using Candela.Model.Identity;

namespace Candela.Cli.Commands.Identity;

/// <summary>self: what people do for their own account.</summary>
internal static class SelfCommands
{
    private const string InputHelp = "Passwords and codes are asked for, or read from standard input, a line each, if that is no terminal.";

    private static readonly Option CodeOption = new("code", "Ask for a one-time or recovery code, too: for accounts with a second factor");

    public static readonly Command Self = new("self", "One's own password and second factor")
    {
        Subcommands =
        [
            new("passwd", "Change the password")
            {
                Arguments = "NAME[@DOMAIN]",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [CodeOption],
                Description = InputHelp,
                Run = ChangePassword,
            },
            new("second-factor", "Set up one-time codes, as of an authenticator program on a telephone")
            {
                Arguments = "NAME[@DOMAIN]",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Description = InputHelp + " Shows the key, asks for the first code of it, and shows recovery codes: keep them in a safe place.",
                Run = SetUpSecondFactor,
            },
            new("recovery-codes", "Make new recovery codes in place of the former ones")
            {
                Arguments = "NAME[@DOMAIN]",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Description = InputHelp,
                Run = RenewRecoveryCodes,
            },
        ],
    };

    private static int ChangePassword(Invocation invocation)
    {
        using var client = invocation.Connect();
        var request = new ChangePasswordRequest
        {
            Login = invocation.Arguments[0],
            Password = Secrets.Read("Password"),
            Code = invocation.Flag("code") ? Secrets.Read("Code") : null,
            NewPassword = Secrets.ReadNew("New password"),
        };
        client.Post(IdentityRoutes.OwnPassword, request, Wire.Default.ChangePasswordRequest);
        return 0;
    }

    private static int SetUpSecondFactor(Invocation invocation)
    {
        using var client = invocation.Connect();
        var request = new SelfRequest { Login = invocation.Arguments[0], Password = Secrets.Read("Password") };
        var key = client.Post(IdentityRoutes.OwnSecondFactor, request, Wire.Default.SelfRequest, Wire.Default.TotpReport);
        Writer.Line($"key: {key.Secret}\naddress: {key.Uri}");
        ShowCodes(client, IdentityRoutes.OwnSecondFactorConfirm, request with { Code = Secrets.Read("Code that the device shows") });
        return 0;
    }

    private static int RenewRecoveryCodes(Invocation invocation)
    {
        using var client = invocation.Connect();
        var request = new SelfRequest { Login = invocation.Arguments[0], Password = Secrets.Read("Password"), Code = Secrets.Read("Code") };
        ShowCodes(client, IdentityRoutes.OwnRecoveryCodes, request);
        return 0;
    }

    private static void ShowCodes(DaemonClient client, string target, SelfRequest request)
    {
        Writer.Line("recovery codes, each good once:");
        foreach (string code in client.Post(target, request, Wire.Default.SelfRequest, Wire.Default.RecoveryCodesReport).Codes)
            Writer.Line(code);
    }
}
