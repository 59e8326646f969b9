namespace ArmVdso.Kernel.Files;

/// <summary>Counts the descriptors of all processes against a limit.</summary>
/// <param name="most">The limit.</param>
/// <param name="exceeded">Called when somebody wants more, the first time.</param>
public sealed class DescriptorBudget(long most, Action exceeded)
{
    private bool _told;

    /// <summary>Descriptors in use.</summary>
    public long Used { get; private set; }

    /// <summary>Counts descriptors. False: there would be too many.</summary>
    public bool TryAdd(long count)
    {
        if (Used + count > most)
        {
            if (!_told)
                exceeded();
            _told = true;
            return false;
        }
        Used += count;
        return true;
    }

    /// <summary>Counts descriptors less.</summary>
    public void Remove(long count) => Used -= count;
}
