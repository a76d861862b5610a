namespace Candela.Vmm.Control;

/// <summary>Carries out commands on the device thread.</summary>
internal interface ICommandHandler
{
    /// <summary>Carries one out; the result is the answer's line. A descriptor that it uses is taken from the queue.</summary>
    string Handle(string command, Queue<int> descriptors);
}
