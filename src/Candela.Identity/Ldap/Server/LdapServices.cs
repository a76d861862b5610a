using Candela.Identity.Accounts;
using Candela.Identity.Ldap.Operations;
using Candela.Identity.Ldap.Search;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Ldap.Server;

/// <summary>What connections work with.</summary>
internal sealed record LdapServices(
    IDirectory Directory, SearchOperation Search, BindOperation Bind, ExtendedOperations Extended, LdapOptions Options, TimeProvider Time, ILogger Logger);
