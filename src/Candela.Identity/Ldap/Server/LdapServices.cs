using Candela.Identity.Ldap.Operations;
using Candela.Identity.Ldap.Search;
using Candela.Identity.Ldap.Writing;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Ldap.Server;

/// <summary>What connections work with.</summary>
internal sealed record LdapServices(
    SearchOperation Search, BindOperation Bind, CompareOperation Compare, WriteOperations Write, ExtendedOperations Extended, LdapOptions Options, bool HasTickets, TimeProvider Time, ILogger Logger);
