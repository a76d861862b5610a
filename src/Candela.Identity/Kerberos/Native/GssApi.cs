using System.Runtime.InteropServices;

namespace Candela.Identity.Kerberos.Native;

/// <summary>What MIT Kerberos' GSS-API has beyond what .NET offers (gssapi/gssapi_krb5.h of release 1.20).</summary>
internal static partial class GssApi
{
    /// <summary>Names the keytab of those who accept tickets in this process, in place of the environment's.</summary>
    [LibraryImport("libgssapi_krb5.so.2", StringMarshalling = StringMarshalling.Utf8)]
    public static partial uint krb5_gss_register_acceptor_identity(string keytab);
}
