using Candela.Controller.Api.Containers;
using Candela.Controller.Api.Documents;
using Candela.Controller.Api.Http;
using Candela.Controller.Api.Identity;
using Candela.Controller.Api.Images;
using Candela.Controller.Api.Networks;
using Candela.Controller.Api.Platform;
using Candela.Controller.Api.Tasks;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Candela.Controller.Api;

/// <summary>The REST API of the Controller.</summary>
public static class ControllerApi
{
    /// <summary>
    /// Registers what the endpoints need besides <see cref="IContainerService"/>, <see cref="IImageService"/>,
