// libLLVM's A64 disassembler over blocks of words, without what the C interface adds to each call (about ten times faster)
// and with soft failures told apart from words that are not allocated. Built on the fly against llvm-19-dev.
#include <cstdint>
#include <cstring>
#include <string>

#include "llvm/ADT/SmallString.h"
#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCDisassembler/MCDisassembler.h"
#include "llvm/MC/MCInst.h"
#include "llvm/MC/MCInstPrinter.h"
#include "llvm/MC/MCInstrInfo.h"
#include "llvm/MC/MCRegisterInfo.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/MCTargetOptions.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;

extern "C" void LLVMInitializeAArch64TargetInfo();
extern "C" void LLVMInitializeAArch64TargetMC();
extern "C" void LLVMInitializeAArch64Disassembler();

namespace {
constexpr char Name[] = "aarch64";

// Everything that a thread needs; MCContext is not to be shared.
struct Llvm {
  Triple triple{Name};
  MCTargetOptions options;
  MCRegisterInfo *registers;
  MCAsmInfo *assembly;
  MCInstrInfo *instructions;
  MCSubtargetInfo *subtarget;
  MCContext *context;
  MCDisassembler *disassembler;
  MCInstPrinter *printer;

  Llvm(const Target &target, const char *features)
      : registers(target.createMCRegInfo(Name)), assembly(target.createMCAsmInfo(*registers, Name, options)),
        instructions(target.createMCInstrInfo()), subtarget(target.createMCSubtargetInfo(Name, "generic", features)),
        context(new MCContext(triple, assembly, registers, subtarget)),
        disassembler(target.createMCDisassembler(*subtarget, *context)),
        printer(target.createMCInstPrinter(triple, assembly->getAssemblerDialect(), *assembly, *instructions, *registers)) {}
};
} // namespace

extern "C" void *blocks_open(const char *features) {
  LLVMInitializeAArch64TargetInfo();
  LLVMInitializeAArch64TargetMC();
  LLVMInitializeAArch64Disassembler();
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(Name, error);
  return target ? new Llvm(*target, features) : nullptr;
}

// For each word of [first, first + count): one byte status (0 not allocated, 1 soft failure, 3 success), one byte length, and
// the text in ASCII with single spaces and no comment. Returns the bytes written; out has room for 256 a word.
extern "C" size_t blocks_run(void *opaque, uint32_t first, uint32_t count, uint8_t *out) {
  Llvm &llvm = *static_cast<Llvm *>(opaque);
  uint8_t *at = out;
  SmallString<256> text;
  for (uint32_t n = 0; n < count; n++) {
    uint32_t word = first + n;
    uint8_t bytes[4] = {uint8_t(word), uint8_t(word >> 8), uint8_t(word >> 16), uint8_t(word >> 24)};
    MCInst instruction;
    uint64_t size;
    auto status = llvm.disassembler->getInstruction(instruction, size, ArrayRef<uint8_t>(bytes, 4), 0, nulls());
    *at++ = uint8_t(status);
    uint8_t *length = at++;
    *length = 0;
    if (status == MCDisassembler::Fail)
      continue;
    text.clear();
    raw_svector_ostream stream(text);
    llvm.printer->printInst(&instruction, 0, "", *llvm.subtarget, stream);
    StringRef line = text.str().split("//").first.trim(" \t");
    for (char c : line.take_front(255))
      *at++ = c == '\t' ? ' ' : c;
    *length = uint8_t(at - length - 1);
  }
  return size_t(at - out);
}
