#include "memory.h"

#include <string.h>

#include "stub.h"

enum mode mode;

int is_long_mode(void) {
  return mode == MODE_L4 || mode == MODE_L5;
}

uint64_t root_mask(void) {
  return mode == MODE_PAE ? 0xffffffe0 : mode == MODE_L2 ? 0xfffff000 : 0x000ffffffffff000;
}

struct slot slots[SLOTS_MAX] = {
    {.physical = 0, .bytes = 16 << 20},
    {.physical = UINT64_C(4) << 30, .bytes = 4 << 20},
    {.physical = UINT64_C(512) << 30, .bytes = 4 << 20},
};
int slot_count = SLOTS_MAX;

uint8_t *ram(uint64_t physical) {
  for (int i = 0; i < slot_count; i++) {
    uint64_t offset = physical - slots[i].physical;
    if (physical >= slots[i].physical && offset < slots[i].bytes)
      return slots[i].host + offset;
  }
  return NULL;
}

void write32(uint64_t physical, uint32_t value) {
  memcpy(ram(physical), &value, sizeof value);
}

void write64(uint64_t physical, uint64_t value) {
  memcpy(ram(physical), &value, sizeof value);
}

/* ---- the marker ---- */

uint64_t marker(uint64_t physical) {
  uint64_t frame = physical >> 12;
  uint64_t offset = (physical & 0xff8) | ((frame >> 32) & 0xf) << 12;
  return UINT64_C(0xb8) | (frame & 0xffffffff) << 8 | UINT64_C(0xf4) << 40 | offset << 48;
}

uint8_t marker_byte(uint64_t physical) {
  return marker(physical) >> ((physical & 7) * 8);
}

uint64_t marker_address(uint64_t value) {
  uint64_t offset = value >> 48;
  if ((value & 0xff) != 0xb8 || ((value >> 40) & 0xff) != 0xf4 || (offset & 7))
    return NOWHERE;
  return (offset >> 12) << 44 | (value >> 8 & 0xffffffff) << 12 | (offset & 0xfff);
}

void fill_page(uint64_t physical) {
  for (uint64_t offset = 0; offset < 4096; offset += 8)
    write64(physical + offset, marker(physical + offset));
}

/* ---- the harness's page tables ---- */

#define L4_TABLES (HARNESS + 0x10000)
#define L4_PDPT L4_TABLES
#define L4_PD (L4_TABLES + 0x1000)
#define L4_PT (L4_TABLES + 0x2000)
#define L4_ROOT (L4_TABLES + 0x3000)
#define L5_PML4 (L4_TABLES + 0x4000)
#define L5_ROOT (L4_TABLES + 0x5000)
#define PAE_PD (HARNESS + 0x18000)
#define PAE_PT (HARNESS + 0x19000)
#define PAE_ROOT (HARNESS + 0x1a000)
#define L2_PTS (HARNESS + 0x20000)
#define L2_USER_PT (HARNESS + 0x24000)
#define L2_ROOT (HARNESS + 0x25000)

enum {
  USER_TABLE = 0x27,           /* P, R/W, U/S, A */
  USER_PAGE = 0x67,            /* and D */
  SUPERVISOR_PAGE = 0x63,      /* P, R/W, A, D */
  SUPERVISOR_LARGE_PAGE = 0xe3 /* and PS */
};

/* The harness's part of the address space, from harness_base(): RAM from 0 at 0, RAM at 4 GiB at
 * 16 MiB, RAM at 512 GiB at 20 MiB, and the user stubs at 32 MiB. */
enum { HIGH_OFFSET = 16 << 20, HIGHER_OFFSET = 20 << 20, USER_OFFSET = 32 << 20 };

enum { L2_FIRST_PDE = 1008, L2_PTS_COUNT = 4, L2_USER_PDE = 1016 };

int is_harness(uint64_t physical) {
  return physical >= HARNESS && physical < HARNESS + HARNESS_BYTES;
}

uint64_t harness_base(void) {
  return is_long_mode() ? 0xffffff8000000000 : mode == MODE_PAE ? 0xc0000000 : 0xfc000000;
}

uint64_t user_stub_base(void) {
  return harness_base() + USER_OFFSET;
}

uint64_t harness_root(void) {
  static const uint64_t roots[] = {
      [MODE_L4] = L4_ROOT, [MODE_L5] = L5_ROOT, [MODE_PAE] = PAE_ROOT, [MODE_L2] = L2_ROOT};
  return roots[mode];
}

uint64_t harness_address(uint64_t physical) {
  static const uint64_t offsets[SLOTS_MAX] = {0, HIGH_OFFSET, HIGHER_OFFSET};
  int i = physical < slots[1].physical ? 0 : physical < slots[2].physical ? 1 : 2;
  return harness_base() + offsets[i] + (physical - slots[i].physical);
}

static void map_large_pages(uint64_t directory, const struct slot *slot, int first) {
  for (uint64_t offset = 0; offset < slot->bytes; offset += 2 << 20)
    write64(directory + (first + (offset >> 21)) * 8,
            (slot->physical + offset) | SUPERVISOR_LARGE_PAGE);
}

/* The last level but one of 8-byte entries; the user stubs have a page table of their own. */
static void build_directory(uint64_t directory, uint64_t user_table) {
  static const int firsts[SLOTS_MAX] = {0, HIGH_OFFSET >> 21, HIGHER_OFFSET >> 21};
  for (int i = 0; i < slot_count; i++)
    map_large_pages(directory, &slots[i], firsts[i]);
  write64(directory + (USER_OFFSET >> 21) * 8, user_table | USER_TABLE);
  write64(user_table, USER_STUBS | USER_PAGE);
}

/* In 4- and 5-level roots the first slot maps the harness too, so that it can start there. */
static void build_long_mode(void) {
  build_directory(L4_PD, L4_PT);
  write64(L4_PDPT, L4_PD | USER_TABLE);
  write64(L4_ROOT, L4_PDPT | USER_TABLE);
  write64(L4_ROOT + 511 * 8, L4_PDPT | USER_TABLE);
  write64(L5_PML4, L4_PDPT | USER_TABLE);
  write64(L5_PML4 + 511 * 8, L4_PDPT | USER_TABLE);
  write64(L5_ROOT, L5_PML4 | USER_TABLE);
  write64(L5_ROOT + 511 * 8, L5_PML4 | USER_TABLE);
}

static void build_pae(void) {
  build_directory(PAE_PD, PAE_PT);
  write64(PAE_ROOT, PAE_PD | 1);
  write64(PAE_ROOT + 3 * 8, PAE_PD | 1);
}

static void build_l2(void) {
  for (uint32_t page = 0; page < L2_PTS_COUNT * 1024; page++)
    write32(L2_PTS + page * 4, page << 12 | SUPERVISOR_PAGE);
  write32(L2_USER_PT, USER_STUBS | USER_PAGE);
  for (int i = 0; i < L2_PTS_COUNT; i++)
    write32(L2_ROOT + i * 4, (L2_PTS + i * 0x1000) | USER_TABLE);
  link_root(L2_ROOT);
}

void memory_init(void) {
  for (int i = 0; i < slot_count; i++)
    for (uint64_t offset = 0; offset < slots[i].bytes; offset += 4096)
      fill_page(slots[i].physical + offset);
  memset(ram(HARNESS), 0, HARNESS_BYTES);
  stubs_install();
  build_long_mode();
  build_pae();
  mode = MODE_L2;
  build_l2();
}

void link_root(uint64_t cr3) {
  uint64_t root = cr3 & root_mask();
  if (!ram(root))
    return;
  if (is_long_mode()) {
    write64(root + 511 * 8, (mode == MODE_L4 ? L4_PDPT : L5_PML4) | USER_TABLE);
  } else if (mode == MODE_PAE) {
    write64(root + 3 * 8, PAE_PD | 1);
  } else {
    for (int i = 0; i < L2_PTS_COUNT; i++)
      write32(root + (L2_FIRST_PDE + i) * 4, (L2_PTS + i * 0x1000) | USER_TABLE);
    write32(root + L2_USER_PDE * 4, L2_USER_PT | USER_TABLE);
  }
}
