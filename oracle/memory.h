/* Guest physical memory: where RAM is, what fills it, and what the harness keeps in it. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdint.h>

/* The paging modes: 4 and 5 levels, PAE, 32-bit two-level. */
enum mode { MODE_L4, MODE_L5, MODE_PAE, MODE_L2 };

/* Of the case that runs. */
extern enum mode mode;

int is_long_mode(void);
/* Bits of CR3 that are the address of the root. */
uint64_t root_mask(void);

struct slot {
  uint64_t physical, bytes;
  uint8_t *host;
};

enum { SLOTS_MAX = 3 };
extern struct slot slots[SLOTS_MAX];
/* An engine that has no RAM at 512 GiB leaves the last slot out. */
extern int slot_count;

/* The host's view of a physical address; NULL where there is no RAM. */
uint8_t *ram(uint64_t physical);
void write32(uint64_t physical, uint32_t value);
void write64(uint64_t physical, uint64_t value);

/* The marker: RAM holds its own address, as bytes B8 p0 p1 p2 p3 F4 o0 o1, that is the instructions
 * `mov eax, frame; hlt`. p = bits 43:12, o = bits 11:0 and above them bits 47:44. */
enum { MARKER_HLT_OFFSET = 5 };
uint64_t marker(uint64_t physical);
uint8_t marker_byte(uint64_t physical);
/* The address that an 8-byte marker names; NOWHERE if it is none. */
uint64_t marker_address(uint64_t value);
void fill_page(uint64_t physical);

#define NOWHERE (~UINT64_C(0))

/* The harness: descriptor tables, stubs, stacks and its page tables, in the sixteenth MiB. */
#define HARNESS UINT64_C(0xf00000)
#define HARNESS_BYTES UINT64_C(0x100000)
#define GDT (HARNESS + 0x0000)
#define TSS64 (HARNESS + 0x1000)
#define TSS32 (HARNESS + 0x1800)
#define IDT64 (HARNESS + 0x2000)
#define IDT32 (HARNESS + 0x3000)
#define HANDLERS (HARNESS + 0x4000)
#define SUPERVISOR_STUBS (HARNESS + 0x4400)
#define USER_STUBS (HARNESS + 0x5000)
#define EXCEPTION_STACK (HARNESS + 0x7000)
#define SUPERVISOR_STACK (HARNESS + 0x8000)
#define OPERANDS (HARNESS + 0x9000)

int is_harness(uint64_t physical);
/* Where RAM from 0 is mapped in every root, supervisor only. */
uint64_t harness_base(void);
/* The virtual address of an entry, through the harness's mapping of RAM. */
uint64_t harness_address(uint64_t physical);
/* User stubs are mapped by themselves, for user mode. */
uint64_t user_stub_base(void);
/* A root that maps nothing but the harness, to start in. */
uint64_t harness_root(void);

/* Fills RAM with the marker and builds the harness. */
void memory_init(void);
/* Puts the harness into the slots that are reserved for it in a case's root. */
void link_root(uint64_t cr3);

#endif
