using ArmVdso.Emulator.Engine.Portable;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Engine.Lockstep;

/// <summary>The portable engine of one PE, each block compared with the reference engine by an <see cref="EngineCheck"/>.</summary>
internal sealed class LockstepEngine(EngineCheck check, Cpu cpu, PortableEngine portable) : ExecutionEngine
{
    /// <inheritdoc/>
    public override ITranslatedCode? Code => portable.Code;

    /// <inheritdoc/>
    public override void Run(ulong limit) => check.Run(cpu, portable, limit);

    /// <inheritdoc/>
    public override void Step() => portable.Step();

    /// <inheritdoc/>
    public override void TranslationChanged(ulong page) => portable.TranslationChanged(page);

    /// <inheritdoc/>
    public override void TranslationsChanged() => portable.TranslationsChanged();

    /// <inheritdoc/>
    public override void TranslationsSelected(int context, bool forget) => portable.TranslationsSelected(context, forget);

    /// <inheritdoc/>
    public override void CodeChanged() => portable.CodeChanged();
}
