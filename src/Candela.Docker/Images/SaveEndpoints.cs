using Candela.Docker.Http;
using Candela.Docker.Streams;
using Candela.Model;

namespace Candela.Docker.Images;

/// <summary><c>docker save</c>.</summary>
internal static class SaveEndpoints
{
    public static async Task SaveAsync(DockerRequest request, IReadOnlyList<string> names)
    {
        Platforms.RequireOurs(request);
        try
        {
            await request.Images.SaveAsync(request.Caller, names, () => request.StartStreamAsync(MediaTypes.Tar), request.Aborted);
        }
        catch (CandelaException e)
        {
            throw ErrorTranslation.Translate(e, names.Count == 1 ? Subject.Image : Subject.None, names.Count == 1 ? names[0] : null);
        }
    }
}
