namespace ArmVdso.Lab.Recording;

/// <summary>Several observers of one machine: each is told of everything that it wants, in their order.</summary>
public sealed class ObserverList : IMachineObserver
{
    private readonly IMachineObserver[] _all, _instructions;

    private ObserverList(IMachineObserver[] all)
    {
        _all = all;
        _instructions = [.. all.Where(o => o.WantsInstructions)];
    }

    /// <summary>Makes one observer of several; null: there is none.</summary>
    public static IMachineObserver? Of(params IEnumerable<IMachineObserver?> observers)
    {
        IMachineObserver[] all = [.. observers.OfType<IMachineObserver>()];
        return all.Length switch { 0 => null, 1 => all[0], _ => new ObserverList(all) };
    }

    /// <inheritdoc/>
    public bool WantsInstructions => _instructions.Length > 0;

    /// <inheritdoc/>
    public void OnInstruction(Cpu cpu, uint instruction)
    {
        foreach (IMachineObserver observer in _instructions)
            observer.OnInstruction(cpu, instruction);
    }

    /// <inheritdoc/>
    public void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
    {
        foreach (IMachineObserver observer in _all)
            observer.OnExceptionEntry(cpu, fromEL, offset);
    }

    /// <inheritdoc/>
    public void OnExceptionReturn(Cpu cpu)
    {
        foreach (IMachineObserver observer in _all)
            observer.OnExceptionReturn(cpu);
    }

    /// <inheritdoc/>
    public void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
    {
        foreach (IMachineObserver observer in _all)
            observer.OnTpidrroWrite(cpu, oldValue, newValue);
    }
}
