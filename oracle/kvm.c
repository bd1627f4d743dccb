/* The engine on the raw API of /dev/kvm: one virtual machine for each vendor and MAXPHYADDR. */

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "engine.h"
#include "memory.h"

enum { MACHINES_MAX = 64, CPUID_ENTRIES_MAX = 256, EXITS_MAX = 64 };

struct machine {
  int vm, vcpu;
  struct kvm_run *run;
  int is_intel, physical_address_bits;
};

static int kvm = -1;
static struct kvm_cpuid2 *supported_cpuid;
static struct machine machines[MACHINES_MAX], *current;
static int machine_count;
static volatile sig_atomic_t timed_out;

static void die(const char *what) {
  fprintf(stderr, "oracle: %s: %s\n", what, strerror(errno));
  exit(2);
}

static void on_alarm(int signal) {
  (void)signal;
  timed_out = 1;
  if (current && current->run)
    current->run->immediate_exit = 1;
}

static struct kvm_cpuid2 *new_cpuid(void) {
  struct kvm_cpuid2 *cpuid =
      calloc(1, sizeof *cpuid + CPUID_ENTRIES_MAX * sizeof(struct kvm_cpuid_entry2));
  if (!cpuid)
    die("calloc");
  cpuid->nent = CPUID_ENTRIES_MAX;
  return cpuid;
}

static void kvm_open(void) {
  for (int i = 0; i < slot_count; i++) {
    slots[i].host =
        mmap(NULL, slots[i].bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (slots[i].host == MAP_FAILED)
      die("mmap");
  }
  kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (kvm < 0)
    die("/dev/kvm");
  supported_cpuid = new_cpuid();
  if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, supported_cpuid))
    die("KVM_GET_SUPPORTED_CPUID");
  struct sigaction action = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &action, NULL);
}

/* ---- one virtual machine ---- */

static void set_vendor(struct kvm_cpuid_entry2 *entry, const char name[12]) {
  memcpy(&entry->ebx, name, 4);
  memcpy(&entry->edx, name + 4, 4);
  memcpy(&entry->ecx, name + 8, 4);
}

static void set_cpuid(const struct machine *machine) {
  struct kvm_cpuid2 *cpuid = new_cpuid();
  memcpy(cpuid, supported_cpuid,
         sizeof *cpuid + supported_cpuid->nent * sizeof(struct kvm_cpuid_entry2));
  for (unsigned i = 0; i < cpuid->nent; i++) {
    struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];
    if (entry->function == 0x80000008)
      entry->eax = (entry->eax & ~0xffu) | machine->physical_address_bits;
    if (entry->function == 0 || entry->function == 0x80000000)
      set_vendor(entry, machine->is_intel ? "GenuineIntel" : "AuthenticAMD");
  }
  if (ioctl(machine->vcpu, KVM_SET_CPUID2, cpuid))
    die("KVM_SET_CPUID2");
  free(cpuid);
}

/* Gives the machine a slot of memory, or takes it if there are no bytes. */
static void set_memory(const struct machine *machine, int number, const struct slot *slot) {
  struct kvm_userspace_memory_region region = {
      .slot = number,
      .guest_phys_addr = slot->physical,
      .memory_size = slot->bytes,
      .userspace_addr = (uintptr_t)slot->host,
  };
  if (ioctl(machine->vm, KVM_SET_USER_MEMORY_REGION, &region))
    die("KVM_SET_USER_MEMORY_REGION");
}

static void create(struct machine *machine) {
  machine->vm = ioctl(kvm, KVM_CREATE_VM, 0);
  if (machine->vm < 0)
    die("KVM_CREATE_VM");
  for (int i = 0; i < slot_count; i++)
    set_memory(machine, i, &slots[i]);
  machine->vcpu = ioctl(machine->vm, KVM_CREATE_VCPU, 0);
  if (machine->vcpu < 0)
    die("KVM_CREATE_VCPU");
  set_cpuid(machine);
  int bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
  machine->run = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, machine->vcpu, 0);
  if (machine->run == MAP_FAILED)
    die("mmap");
}

static struct machine *machine_for(const struct control *control) {
  for (int i = 0; i < machine_count; i++)
    if (machines[i].is_intel == control->is_intel &&
        machines[i].physical_address_bits == control->physical_address_bits)
      return &machines[i];
  if (machine_count == MACHINES_MAX) {
    fprintf(stderr, "oracle: too many combinations of vendor and MAXPHYADDR\n");
    exit(2);
  }
  struct machine *machine = &machines[machine_count++];
  machine->is_intel = control->is_intel;
  machine->physical_address_bits = control->physical_address_bits;
  create(machine);
  return machine;
}

/* ---- a case ---- */

/* The host rewrites tables between cases, which KVM's shadow of them does not notice. It drops all
 * shadow pages when a memory slot goes. */
static void drop_shadow_pages(void) {
  static struct slot dummy = {.physical = 0x20000000};
  if (!dummy.host)
    dummy.host = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (dummy.host == MAP_FAILED)
    die("mmap");
  dummy.bytes = 4096;
  set_memory(current, SLOTS_MAX, &dummy);
  dummy.bytes = 0;
  set_memory(current, SLOTS_MAX, &dummy);
}

static struct kvm_segment flat_segment(int selector, int type) {
  return (struct kvm_segment){
      .limit = 0xffffffff, .selector = selector, .type = type, .present = 1, .s = 1, .g = 1};
}

static void set_segments(struct kvm_sregs *sregs) {
  uint64_t base = harness_base();
  int is_long = is_long_mode();
  sregs->cs = flat_segment(is_long ? 0x08 : 0x28, 0xb);
  sregs->cs.l = is_long;
  sregs->cs.db = !is_long;
  struct kvm_segment data = flat_segment(0x10, 3);
  data.db = 1;
  sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
  sregs->tr = (struct kvm_segment){.base = base + (is_long ? TSS64 : TSS32),
                                   .limit = 0x67,
                                   .selector = 0x38,
                                   .type = 0xb,
                                   .present = 1};
  sregs->ldt = (struct kvm_segment){.unusable = 1};
  sregs->gdt.base = base + GDT;
  sregs->gdt.limit = 0x4f;
  sregs->idt.base = base + (is_long ? IDT64 : IDT32);
  sregs->idt.limit = is_long ? 0x1ff : 0xff;
}

/* Whatever the last case left pending. */
static void forget_events(void) {
  struct kvm_vcpu_events events;
  if (!ioctl(current->vcpu, KVM_GET_VCPU_EVENTS, &events)) {
    memset(&events.exception, 0, sizeof events.exception);
    events.nmi.injected = events.nmi.pending = 0;
    events.interrupt.injected = 0;
    events.flags = 0;
    ioctl(current->vcpu, KVM_SET_VCPU_EVENTS, &events);
  }
  struct kvm_mp_state runnable = {KVM_MP_STATE_RUNNABLE};
  ioctl(current->vcpu, KVM_SET_MP_STATE, &runnable);
}

static int kvm_start(const struct control *control, char why[64]) {
  current = machine_for(control);
  drop_shadow_pages();
  struct kvm_sregs sregs;
  int failed = ioctl(current->vcpu, KVM_GET_SREGS, &sregs);
  if (!failed) {
    set_segments(&sregs);
    sregs.cr0 = control->cr0;
    sregs.cr2 = 0;
    sregs.cr3 = control->cr3;
    sregs.cr4 = control->cr4;
    sregs.efer = control->efer;
    failed = ioctl(current->vcpu, KVM_SET_SREGS, &sregs);
  }
  if (failed) {
    snprintf(why, 64, "sregs(%d)", -errno);
    return -1;
  }
  forget_events();
  struct itimerval seconds = {.it_value = {.tv_sec = 2}};
  timed_out = 0;
  setitimer(ITIMER_REAL, &seconds, NULL);
  return 0;
}

/* Without RAM an address reads as the marker, and the store is noted. */
static void do_mmio(struct kvm_run *run, struct registers *registers) {
  if (!run->mmio.is_write)
    for (unsigned i = 0; i < run->mmio.len; i++)
      run->mmio.data[i] = marker_byte(run->mmio.phys_addr + i);
  if (registers->mmio_count < MMIO_MAX)
    registers->mmio[registers->mmio_count++] =
        (struct mmio){.physical = run->mmio.phys_addr, .is_write = run->mmio.is_write};
}

static const char *name_exit(const struct kvm_run *run) {
  static char name[64];
  int is_internal = run->exit_reason == KVM_EXIT_INTERNAL_ERROR;
  snprintf(name, sizeof name, "exit-%u/%u", run->exit_reason,
           is_internal ? run->internal.suberror : 0);
  return name;
}

/* Returns NULL at a HLT, else why it was not reached. */
static const char *run_to_hlt(struct registers *registers) {
  struct kvm_run *run = current->run;
  for (int exits = 0; exits <= EXITS_MAX;) {
    if (ioctl(current->vcpu, KVM_RUN, 0) < 0) {
      if (errno != EINTR && errno != EAGAIN)
        return "run-errno";
      if (timed_out)
        return "hang";
    } else if (run->exit_reason == KVM_EXIT_HLT) {
      return NULL;
    } else if (run->exit_reason == KVM_EXIT_MMIO) {
      do_mmio(run, registers);
      exits++;
    } else {
      return name_exit(run);
    }
  }
  return "mmio-loop";
}

static int kvm_run(struct registers *registers) {
  struct kvm_regs regs = {.rax = registers->rax,
                          .rbx = registers->rbx,
                          .rcx = registers->rcx,
                          .rdx = registers->rdx,
                          .rbp = registers->rbp,
                          .rsi = registers->rsi,
                          .rsp = registers->rsp,
                          .rip = registers->rip,
                          .rflags = registers->rflags};
  if (ioctl(current->vcpu, KVM_SET_REGS, &regs)) {
    registers->why = "set-regs";
    return -1;
  }
  registers->mmio_count = 0;
  current->run->immediate_exit = timed_out;
  registers->why = run_to_hlt(registers);
  if (registers->why)
    return -1;
  ioctl(current->vcpu, KVM_GET_REGS, &regs);
  registers->rax = regs.rax;
  registers->rbx = regs.rbx;
  registers->rcx = regs.rcx;
  registers->rdx = regs.rdx;
  registers->rsp = regs.rsp;
  registers->rip = regs.rip - 1; /* it stands after the HLT */
  registers->rflags = regs.rflags;
  return 0;
}

static uint64_t kvm_cr2(void) {
  struct kvm_sregs sregs = {0};
  ioctl(current->vcpu, KVM_GET_SREGS, &sregs);
  return sregs.cr2;
}

static void do_nothing(void) {
}

const struct engine kvm_engine = {
    .open = kvm_open,
    .start = kvm_start,
    .run = kvm_run,
    .cr2 = kvm_cr2,
    .restart = do_nothing,
    .close = do_nothing,
};
