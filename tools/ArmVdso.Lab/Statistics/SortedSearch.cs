namespace ArmVdso.Lab.Statistics;

/// <summary>Lists in the order of addresses.</summary>
internal static class SortedSearch
{
    /// <summary>How many of a list begin at an address or before it: the last of them is one in front of that index.</summary>
    internal static int CountUpTo<T>(this List<T> list, ulong address, Func<T, ulong> start)
    {
        int low = 0, high = list.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (start(list[middle]) <= address)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
