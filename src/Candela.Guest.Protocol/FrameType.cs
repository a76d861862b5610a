namespace Candela.Guest.Protocol;

/// <summary>What a frame carries. Numbers below 64 go from the host to the guest, the others from the guest to the host.</summary>
internal enum FrameType : byte
{
    None = 0,
    Hello = 1,
    Configure = 2,
    Reidentify = 3,
    Start = 4,
    ConfigureAndStart = 5,
    Signal = 6,
    Resize = 7,
    Input = 8,
    CloseInput = 9,
    Acknowledge = 10,
    List = 11,
    ResumeOutput = 12,
    Forget = 13,
    Statistics = 14,
    ListProcesses = 15,
    ReadArchive = 16,
    Stat = 17,
    WriteArchive = 18,
    PowerOff = 19,
    Cancel = 20,
    ArchiveUp = 21,
    ArchiveCredit = 22,

    HelloReply = 64,
    Reply = 65,
    Error = 66,
    Output = 67,
    Exit = 68,
    InputCredit = 69,
    InputGone = 70,
    ArchiveDown = 71,
    ArchiveUpCredit = 72,
}
