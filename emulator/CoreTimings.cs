using ArmVdso.Emulator.Timing;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.InOrder;
using ArmVdso.Emulator.Timing.Instructions;
using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Emulator.Timing.OutOfOrder;

namespace ArmVdso.Emulator;

/// <summary>From a core model to the timing of a machine's PEs.</summary>
public static class CoreTimings
{
    /// <summary>Makes the timing models of a machine's PEs, by a core's name ("none": one cycle an instruction) or file.</summary>
    /// <exception cref="CoreModelException">No such model, or it is not well formed.</exception>
    public static Func<IClock, int, TimingModel> Of(string nameOrPath)
    {
        CoreModel model = CoreModel.Load(nameOrPath);
        if (model.IsPlain)
            return (_, _) => new TimingModel();
        SharedCaches? shared = null;
        return (clock, index) =>
        {
            if (index == 0 || shared is null)
                shared = new SharedCaches(model);
            return model.OutOfOrder ? new OutOfOrderTiming(model, shared, clock) : new InOrderTiming(model, shared, clock);
        };
    }
    /// <summary>The names under which a core's file may time an encoding, from the general to the specific: its class, forms, mnemonic.
    /// What a more specific one says replaces what the others say.</summary>
    /// <param name="model">The core; "none" times nothing.</param>
    /// <param name="instruction">An encoding that is decoded.</param>
    public static IReadOnlyList<string> NamesOf(CoreModel model, uint instruction)
    {
        InstructionRoles roles = InstructionRoles.Describe(Decoder.Decode(instruction), instruction);
        return model.OutOfOrder ? OutOfOrderTimings.NamesOf(roles) : InOrderTimings.NamesOf(roles);
    }
}
