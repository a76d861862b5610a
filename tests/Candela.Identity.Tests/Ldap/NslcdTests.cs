using Candela.Identity.Accounts;
using Candela.Identity.Authorization;
using Candela.Identity.Tests.Tools;

namespace Candela.Identity.Tests.Ldap;

/// <summary>A host whose users come from the directory: Debian's nslcd with its NSS and PAM modules, in mount namespaces of their own.</summary>
public sealed class NslcdTests : LdapBench
{
    private const string ReaderPassword = "reader of the directory";

    /// <summary>Sees the configuration in its folder in place of the host's, and nothing of what runs on the host.</summary>
    private const string Script = """
        set -eu
        mount -t tmpfs tmpfs /run
        mkdir /run/nslcd
        mount --bind nslcd.conf /etc/nslcd.conf
        mount --bind nsswitch.conf /etc/nsswitch.conf
        service=$(cat pam)
        mount -t tmpfs tmpfs /etc/pam.d
        for name in candela su other; do echo "$service" >/etc/pam.d/$name; done
        nslcd -d 2>nslcd.log & server=$!
        trap 'kill $server' EXIT
        until [ -S /run/nslcd/socket ] || ! kill -0 $server; do sleep 0.05; done
        echo "user $(getent passwd ada)"
        echo "group $(getent group developers)"
        echo "unknown $(getent passwd nobody-has-this-name || echo none)"
        echo 'correct horse battery' | pamtester candela ada authenticate acct_mgmt >/dev/null && echo "right password: in"
        echo 'wrong horse battery' | pamtester candela ada authenticate >/dev/null 2>&1 || echo "wrong password: out"
        # su asks for no password of root, so another user runs it.
        echo 'correct horse battery' | setpriv --reuid 65534 --clear-groups su -s /bin/sh ada -c 'echo "su: $(id -un) $(id -u)"' 2>/dev/null
        """;

    [Fact]
    public async Task Users_and_groups_are_the_host_s_and_sign_in()
    {
        Assert.SkipUnless(Environment.UserName == "root", "only root makes mount namespaces");
        var user = await AddUserAsync("ada");
        var group = await Identity.AddGroupAsync("developers");
        await Identity.Directory.AddMemberAsync(group.Id, user.Id, Token);
        var reader = await Identity.Credentials.CreateAsync(new ServiceAccount { DomainId = Identity.SystemId, Name = "nslcd" }, ReaderPassword, mustChange: false, Token);
        await Identity.Get<IAccessPolicy>().BindAsync(
            new RoleBinding { Subject = Subject.Entry(reader.Id), RoleId = BuiltInRoles.Auditor.Id, Scope = ResourceScope.System }, Token);
        await WriteAsync("nslcd.conf", $"""
            uid root
            gid root
            uri {TlsUrl}
            base dc=system
            binddn uid=nslcd,ou=services,dc=system
            bindpw {ReaderPassword}
            tls_reqcert demand
            tls_cacertfile {Folder.File("server.pem")}

            """);
        File.SetUnixFileMode(Folder.File("nslcd.conf"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await WriteAsync("nsswitch.conf", "passwd: files ldap\ngroup: files ldap\nshadow: files\nhosts: files dns\n");
        await WriteAsync("pam", "auth required pam_ldap.so\naccount required pam_ldap.so\nsession required pam_permit.so\npassword required pam_deny.so\n");
        await WriteAsync("script", Script);

        var (exitCode, output) = await Tool.TryRunAsync("unshare", Folder.Path, "--mount", "--propagation", "private", "bash", Folder.File("script"));

        var log = File.Exists(Folder.File("nslcd.log")) ? await File.ReadAllTextAsync(Folder.File("nslcd.log"), Token) : "";
        Assert.True(exitCode == 0, $"{output}\n{log}");
        uint uid = user.Posix!.UidNumber;
        Assert.Contains($"user ada:*:{uid}:{uid}:ada:/home/ada:/bin/bash", output, StringComparison.Ordinal);
        Assert.Contains($"group developers:*:{group.GidNumber}:ada", output, StringComparison.Ordinal);
        Assert.Contains("unknown none", output, StringComparison.Ordinal);
        Assert.Contains("right password: in", output, StringComparison.Ordinal);
        Assert.Contains("wrong password: out", output, StringComparison.Ordinal);
        Assert.Contains($"su: ada {uid}", output, StringComparison.Ordinal);
    }

    private Task WriteAsync(string name, string content) => File.WriteAllTextAsync(Folder.File(name), content, Token);
}
