#include "stub.h"

#include <string.h>

#include "memory.h"

struct code {
  uint8_t count;
  uint8_t bytes[14];
};

#define CODE(...)                                                                                  \
  {                                                                                                \
    sizeof((uint8_t[]){__VA_ARGS__}), {                                                            \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
  }

/* rbx holds the address of an access, rbp that of one through SS. */
static const struct code codes[STUB_COUNT] = {
    [STUB_READ] = CODE(0x8a, 0x03, 0xf4),            /* mov al, [rbx] */
    [STUB_READ + 1] = CODE(0x66, 0x8b, 0x03, 0xf4),  /* mov ax, [rbx] */
    [STUB_READ + 2] = CODE(0x8b, 0x03, 0xf4),        /* mov eax, [rbx] */
    [STUB_READ + 3] = CODE(0x48, 0x8b, 0x03, 0xf4),  /* mov rax, [rbx] */
    [STUB_WRITE] = CODE(0x88, 0x03, 0xf4),           /* mov [rbx], al */
    [STUB_WRITE + 1] = CODE(0x66, 0x89, 0x03, 0xf4), /* mov [rbx], ax */
    [STUB_WRITE + 2] = CODE(0x89, 0x03, 0xf4),       /* mov [rbx], eax */
    [STUB_WRITE + 3] = CODE(0x48, 0x89, 0x03, 0xf4), /* mov [rbx], rax */
    [STUB_ADD] = CODE(0xf0, 0x0f, 0xc0, 0x03, 0xf4), /* lock xadd [rbx], al */
    [STUB_ADD + 1] = CODE(0xf0, 0x66, 0x0f, 0xc1, 0x03, 0xf4),
    [STUB_ADD + 2] = CODE(0xf0, 0x0f, 0xc1, 0x03, 0xf4),
    [STUB_ADD + 3] = CODE(0xf0, 0x48, 0x0f, 0xc1, 0x03, 0xf4),
    [STUB_STACK_READ] = CODE(0x8b, 0x45, 0x00, 0xf4), /* mov eax, [rbp] */
    [STUB_STACK_READ + 1] = CODE(0x48, 0x8b, 0x45, 0x00, 0xf4),
    [STUB_STACK_WRITE] = CODE(0x89, 0x45, 0x00, 0xf4), /* mov [rbp], eax */
    [STUB_STACK_WRITE + 1] = CODE(0x48, 0x89, 0x45, 0x00, 0xf4),
    [STUB_COMPARE] = CODE(0xf0, 0x0f, 0xb1, 0x0b, 0xf4), /* lock cmpxchg [rbx], ecx */
    [STUB_COMPARE + 1] = CODE(0xf0, 0x48, 0x0f, 0xb1, 0x0b, 0xf4),
    [STUB_JUMP] = CODE(0xff, 0xe3, 0xf4),                      /* jmp rbx */
    [STUB_INVLPG] = CODE(0x0f, 0x01, 0x3b, 0xf4),              /* invlpg [rbx] */
    [STUB_INVPCID] = CODE(0x66, 0x0f, 0x38, 0x82, 0x03, 0xf4), /* invpcid rax, [rbx] */
    [STUB_CR0] = CODE(0x0f, 0x22, 0xc0, 0xf4),                 /* mov cr0, rax */
    [STUB_CR3] = CODE(0x0f, 0x22, 0xd8, 0xf4),                 /* mov cr3, rax */
    [STUB_CR4] = CODE(0x0f, 0x22, 0xe0, 0xf4),                 /* mov cr4, rax */
    [STUB_WRMSR] = CODE(0x0f, 0x30, 0xf4),                     /* wrmsr */
    [STUB_WRPKRU] = CODE(0x0f, 0x01, 0xef, 0xf4),              /* wrpkru */
    [STUB_WRITE_ENTRY] = CODE(0x48, 0x89, 0x03, 0xf4),         /* mov [rbx], rax */
    [STUB_WRITE_PAE_ENTRY] = /* mov [ebx+4], ecx; mov [ebx], eax */
    CODE(0x89, 0x4b, 0x04, 0x89, 0x03, 0xf4),
    [STUB_IRET] = CODE(0x48, 0xcf), /* iretq; from its second byte, iret */
    [STUB_LOAD_DESCRIPTORS] =       /* lgdt [rbx]; lidt [rsi]; ltr ax */
    CODE(0x0f, 0x01, 0x13, 0x0f, 0x01, 0x1e, 0x0f, 0x00, 0xd8, 0xf4),
};

enum { HLT = 0xf4 };

void stubs_install(void) {
  memset(ram(HANDLERS), HLT, SUPERVISOR_STUBS - HANDLERS);
  memset(ram(SUPERVISOR_STUBS), HLT, USER_STUBS - SUPERVISOR_STUBS);
  memset(ram(USER_STUBS), HLT, 0x1000);
  for (int stub = 0; stub < STUB_COUNT; stub++) {
    memcpy(ram(SUPERVISOR_STUBS + stub * STUB_BYTES), codes[stub].bytes, codes[stub].count);
    memcpy(ram(USER_STUBS + stub * STUB_BYTES), codes[stub].bytes, codes[stub].count);
  }
}

uint64_t supervisor_stub(enum stub stub) {
  return harness_base() + SUPERVISOR_STUBS + stub * STUB_BYTES;
}

uint64_t user_stub(enum stub stub) {
  return user_stub_base() + stub * STUB_BYTES;
}

int stub_hlt_offset(enum stub stub) {
  return stub == STUB_IRET ? -1 : codes[stub].count - 1;
}
