namespace ArmVdso.Yardsticks;

/// <summary>The branch that closes a loop of loose instructions.</summary>
public static class LoopBranch
{
    /// <summary>Makes a branch at the end of a block go to its start.</summary>
    /// <param name="word">The last instruction of the block.</param>
    /// <param name="length">Instructions of the block.</param>
    /// <returns>False when it is no branch to an address.</returns>
    public static bool Close(ref uint word, int length)
    {
        int back = 1 - length;
        if ((word & 0xFF000010) == 0x54000000 || (word & 0x7E000000) == 0x34000000)
            word = (word & ~(0x7FFFFu << 5)) | (((uint)back & 0x7FFFF) << 5);
        else if ((word & 0x7E000000) == 0x36000000)
            word = (word & ~(0x3FFFu << 5)) | (((uint)back & 0x3FFF) << 5);
        else if ((word & 0xFC000000) == 0x14000000)
            word = (word & 0xFC000000) | ((uint)back & 0x3FFFFFF);
        else
            return false;
        return true;
    }
}
