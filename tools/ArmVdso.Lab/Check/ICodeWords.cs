namespace ArmVdso.Lab.Check;

/// <summary>The instructions of a vDSO image in a machine's RAM, where faults are planted.</summary>
internal interface ICodeWords
{
    /// <summary>Words of the image up to the end of its code.</summary>
    int CodeWords { get; }

    /// <summary>Word n of the image.</summary>
    uint CodeWord(int word);

    /// <summary>Changes word n of the image.</summary>
    void SetCodeWord(int word, uint instruction);
}
