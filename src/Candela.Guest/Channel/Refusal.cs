using System.Text;
using Candela.Guest.Protocol;

namespace Candela.Guest.Channel;

/// <summary>The Error frame.</summary>
internal static class Refusal
{
    private const int TextMaxCharacters = 4 * 1024;

    /// <summary>Refuses a request; a frame that is none (number 0) gets no answer.</summary>
    public static void Send(FrameSender sender, uint request, AgentError error, string text)
    {
        if (request == 0)
            return;
        var message = new MessageWriter();
        message.U16((ushort)error);
        message.Raw(Encoding.UTF8.GetBytes(text.Length <= TextMaxCharacters ? text : text[..TextMaxCharacters]));
        sender.Send(new FrameHeader(FrameType.Error, 0, 0, 0, request, 0), message.Written);
    }
}
