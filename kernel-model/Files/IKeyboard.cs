namespace ArmVdso.Kernel.Files;

/// <summary>The keyboard and screen of a person, as the host gives them: keys one by one, without echo or meaning.</summary>
public interface IKeyboard
{
    /// <summary>Rows and columns of the screen now.</summary>
    (ushort Rows, ushort Columns) Size { get; }

    /// <summary>Whether a key, another size or the end has come and was not taken yet.</summary>
    bool Pending { get; }

    /// <summary>The keyboard has gone: no key will come any more.</summary>
    bool Ended { get; }

    /// <summary>Waits until <see cref="Pending"/>, for at most so long, or until the run is to end.</summary>
    /// <param name="most">How long; null: for ever.</param>
    /// <param name="stopped">Asked often; true ends the wait.</param>
    /// <returns>How long it took, in the host's time.</returns>
    TimeSpan Wait(TimeSpan? most, Func<bool> stopped);

    /// <summary>Takes the keys that have come.</summary>
    byte[] Take();
}
