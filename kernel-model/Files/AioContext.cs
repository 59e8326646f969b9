namespace ArmVdso.Kernel.Files;

/// <summary>A request of asynchronous input and output (struct iocb).</summary>
/// <param name="File">What it is on; held until it is done.</param>
/// <param name="Operation">IOCB_CMD_*.</param>
/// <param name="Address">Address of the request, by which events name it.</param>
/// <param name="Data">The caller's word, given back with the event.</param>
/// <param name="Buffer">Address of the bytes or vector, or the events of a poll.</param>
/// <param name="Length">Number of bytes or elements.</param>
/// <param name="Offset">Position in the file.</param>
/// <param name="Result">eventfd that is told; null: none.</param>
internal sealed record AioRequest(
    OpenFile File, int Operation, ulong Address, ulong Data, ulong Buffer, ulong Length, long Offset, OpenFile? Result);

/// <summary>What io_setup makes (struct kioctx): requests that wait, and events that nobody has fetched.</summary>
internal sealed class AioContext(uint size)
{
    /// <summary>Requests that there may be at a time.</summary>
    public uint Size => size;

    /// <summary>Requests that wait for their file.</summary>
    public List<AioRequest> Pending { get; } = [];

    /// <summary>Events: data, request, result.</summary>
    public Queue<(ulong Data, ulong Request, long Result)> Done { get; } = new();

    /// <summary>A request is over.</summary>
    public void Complete(AioRequest request, long result)
    {
        Done.Enqueue((request.Data, request.Address, result));
        if (request.Result is { } told)
            told.Write(BitConverter.GetBytes(1UL), 0);
        Release(request);
    }

    /// <summary>Lets go of what a request holds.</summary>
    public static void Release(AioRequest request)
    {
        request.File.Release();
        request.Result?.Release();
    }

    /// <summary>The context's memory is gone: what waits is given up.</summary>
    public void Destroy()
    {
        Pending.ForEach(Release);
        Pending.Clear();
    }
}
