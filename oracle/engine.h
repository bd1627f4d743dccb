/* What runs the guest: KVM, or QEMU's TCG. */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdint.h>

struct mmio {
  uint64_t physical;
  int is_write;
};

enum { MMIO_MAX = 16 };

struct registers {
  uint64_t rax, rbx, rcx, rdx, rbp, rsi, rsp, rip, rflags;
  /* Where to stop besides the HLTs of stubs and handlers; 0 for nowhere. */
  uint64_t stop;
  /* What the guest did to addresses without RAM. */
  int mmio_count;
  struct mmio mmio[MMIO_MAX];
  /* After a failure: why. */
  const char *why;
};

struct control {
  int is_intel, physical_address_bits;
  uint64_t cr0, cr3, cr4, efer;
};

struct engine {
  /* Finds memory for the slots. Ends the process if the engine is not there. */
  void (*open)(void);
  /* Makes the control state that of a case, and forgets all translations. Writes why if it fails,
   * and returns -1. */
  int (*start)(const struct control *control, char why[64]);
  /* Runs until a HLT or `stop`, and leaves rip there; -1 if it did not get there. */
  int (*run)(struct registers *registers);
  uint64_t (*cr2)(void);
  /* After a failure. */
  void (*restart)(void);
  void (*close)(void);
  /* GDTR, IDTR and TR are to be loaded by the guest, and page 0 is used before. */
  int loads_descriptors;
};

extern const struct engine kvm_engine, tcg_engine;

#endif
