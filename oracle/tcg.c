/* The engine on QEMU's TCG, a software processor, driven through its gdb stub. Guest RAM is two
 * shared files, so that the host sees it as it does with KVM. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine.h"
#include "gdb.h"
#include "memory.h"
#include "stub.h"

/* Every mode has a QEMU of its own, and so many cases have, so that little can be left over. */
enum { CASES_PER_QEMU = 4000, RUN_MS = 1500, ANSWER_MS = 3000 };

/* The second file is a memory module, which has a least size; 4 MiB of it are used. */
#define LOW_BYTES (16 << 20)
#define HIGH_MODULE_BYTES (128 << 20)

/* Numbers of QEMU's description of the registers of x86-64. */
enum {
  RAX = 0,
  RBX = 1,
  RCX = 2,
  RDX = 3,
  RSI = 4,
  RBP = 6,
  RSP = 7,
  RIP = 16,
  RFLAGS = 17,
  CS = 18,
  SS = 19,
  DS = 20,
  ES = 21,
  CR0 = 27,
  CR3 = 29,
  CR4 = 30,
  EFER = 32
};

/* Offsets in the answer to "g": 16 registers and rip of 8 bytes, rflags and six selectors of 4, the
 * bases of fs and gs and KERNEL_GS_BASE of 8, cr0, cr2. */
enum { CR2_OFFSET = 17 * 8 + 7 * 4 + 3 * 8 + 8 };

static char directory[64], low_path[80], high_path[80], socket_path[80];
static pid_t qemu;
static uint64_t last_cr2;
static int is_protected; /* since QEMU started */
static uint64_t breakpoints_base;
static int are_breakpoints_set;

/* ---- the process ---- */

static void die(const char *what) {
  perror(what);
  exit(2);
}

static uint8_t *map_file(const char *path, uint64_t file_bytes, uint64_t bytes) {
  int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || ftruncate(file, file_bytes))
    die(path);
  uint8_t *host = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (host == MAP_FAILED)
    die(path);
  close(file);
  return host;
}

static void be_qemu(void) {
  char low[160], high[160], gdb[120];
  snprintf(low, sizeof low, "memory-backend-file,id=low,size=%d,mem-path=%s,share=on", LOW_BYTES,
           low_path);
  snprintf(high, sizeof high, "memory-backend-file,id=high,size=%d,mem-path=%s,share=on",
           HIGH_MODULE_BYTES, high_path);
  snprintf(gdb, sizeof gdb, "unix:%s,server=on,wait=off", socket_path);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int null = open("/dev/null", O_RDWR);
  dup2(null, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  /* On a machine that can have a second processor, a locked read-modify-write is one access. */
  execlp("qemu-system-x86_64", "qemu-system-x86_64", "-machine", "pc,memory-backend=low,accel=tcg",
         "-cpu", "max", "-smp", "1,maxcpus=2", "-object", low, "-m", "16M,slots=1,maxmem=8G",
         "-object", high, "-device", "pc-dimm,id=module,memdev=high,addr=0x100000000", "-display",
         "none", "-nodefaults", "-monitor", "none", "-S", "-gdb", gdb, (char *)NULL);
  perror("oracle: qemu-system-x86_64");
  _exit(127);
}

static void launch(void) {
  unlink(socket_path);
  qemu = fork();
  if (qemu < 0)
    die("oracle: fork");
  if (qemu == 0)
    be_qemu();
  is_protected = are_breakpoints_set = 0;
  if (gdb_connect(socket_path)) {
    fprintf(stderr, "oracle: QEMU does not answer\n");
    exit(2);
  }
}

static void end_qemu(void) {
  gdb_disconnect();
  if (qemu > 0) {
    kill(qemu, SIGKILL);
    waitpid(qemu, NULL, 0);
  }
  qemu = 0;
}

static void remove_files(void) {
  end_qemu();
  unlink(low_path);
  unlink(high_path);
  unlink(socket_path);
  rmdir(directory);
}

static void on_end(int signal) {
  remove_files();
  _exit(128 + signal);
}

static void tcg_open(void) {
  const char *root = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
  snprintf(directory, sizeof directory, "%s/shootdown-oracle-XXXXXX", root);
  if (!mkdtemp(directory))
    die(directory);
  snprintf(low_path, sizeof low_path, "%s/low", directory);
  snprintf(high_path, sizeof high_path, "%s/high", directory);
  snprintf(socket_path, sizeof socket_path, "%s/gdb", directory);
  atexit(remove_files);
  signal(SIGINT, on_end);
  signal(SIGTERM, on_end);
  signal(SIGPIPE, on_end);
  slot_count = 2;
  slots[0].host = map_file(low_path, LOW_BYTES, slots[0].bytes);
  slots[1].host = map_file(high_path, HIGH_MODULE_BYTES, slots[1].bytes);
  launch();
}

static void tcg_restart(void) {
  end_qemu();
  launch();
}

/* ---- a case ---- */

/* HLT would wait for an interrupt: the guest stops at breakpoints on the HLTs. */
static void queue_breakpoints(int is_set, uint64_t base) {
  for (int vector = 0; vector < HANDLER_COUNT; vector++)
    gdb_queue_breakpoint(is_set, base + HANDLERS + vector * HANDLER_BYTES);
  for (int stub = 0; stub < STUB_COUNT; stub++)
    if (stub_hlt_offset(stub) >= 0)
      gdb_queue_breakpoint(is_set,
                           base + SUPERVISOR_STUBS + stub * STUB_BYTES + stub_hlt_offset(stub));
}

/* QEMU takes attributes of a segment from the GDT when its selector is written. At reset that is at
 * physical 0: page 0 is filled again when the guest has loaded its own. */
static void queue_protected_mode(void) {
  memcpy(ram(0), ram(GDT), 0x50);
  gdb_queue_register(CR0, 0x11, 8);
  gdb_queue_register(CS, 0x28, 4);
  gdb_queue_register(SS, 0x10, 4);
  gdb_queue_register(DS, 0x10, 4);
  gdb_queue_register(ES, 0x10, 4);
}

/* Paging is off while the rest changes. A selector is written twice, because QEMU looks at the
 * descriptor only when the value differs. */
static void queue_control(const struct control *control) {
  gdb_queue_register(CR0, 0x11, 8);
  gdb_queue_register(EFER, control->efer & ~UINT64_C(0x400), 8); /* LMA is not written */
  gdb_queue_register(CR4, control->cr4, 8);
  gdb_queue_register(CR3, control->cr3, 8);
  gdb_queue_register(CR0, control->cr0, 8);
  gdb_queue_register(CS, is_long_mode() ? 0x28 : 0x08, 4);
  gdb_queue_register(CS, is_long_mode() ? 0x08 : 0x28, 4);
  gdb_queue_register(SS, 0x08, 4);
  gdb_queue_register(SS, 0x10, 4);
}

static int tcg_start(const struct control *control, char why[64]) {
  static uint64_t last_base;
  static int cases;
  uint64_t base = harness_base();
  if ((last_base && last_base != base) || ++cases > CASES_PER_QEMU) {
    tcg_restart();
    cases = 0;
  }
  last_base = base;
  int failed = 0;
  if (!is_protected) {
    queue_protected_mode();
    failed = gdb_finish();
    is_protected = 1;
  }
  queue_control(control);
  if (!are_breakpoints_set || breakpoints_base != base) {
    if (are_breakpoints_set)
      queue_breakpoints(0, breakpoints_base);
    queue_breakpoints(1, base);
    breakpoints_base = base;
    are_breakpoints_set = 1;
  }
  failed |= gdb_finish();
  if (failed)
    strcpy(why, "tcg-start");
  return failed ? -1 : 0;
}

static void queue_registers(const struct registers *registers) {
  gdb_queue_register(RAX, registers->rax, 8);
  gdb_queue_register(RBX, registers->rbx, 8);
  gdb_queue_register(RCX, registers->rcx, 8);
  gdb_queue_register(RDX, registers->rdx, 8);
  gdb_queue_register(RSI, registers->rsi, 8);
  gdb_queue_register(RBP, registers->rbp, 8);
  gdb_queue_register(RSP, registers->rsp, 8);
  gdb_queue_register(RIP, registers->rip, 8);
  gdb_queue_register(RFLAGS, registers->rflags, 4);
  if (registers->stop)
    gdb_queue_breakpoint(1, registers->stop);
}

static const char *run_to_breakpoint(void) {
  gdb_send("c");
  const char *stop = gdb_receive(RUN_MS);
  if (!stop) {
    gdb_interrupt();
    return "hang";
  }
  return stop[0] == 'T' || stop[0] == 'S' ? NULL : "gdb-stop";
}

static const char *read_registers(struct registers *registers) {
  gdb_send("g");
  const char *text = gdb_receive(ANSWER_MS);
  if (!text || strlen(text) < 2 * (CR2_OFFSET + 8))
    return "gdb-g";
  registers->rax = gdb_field(text, RAX * 8, 8);
  registers->rbx = gdb_field(text, RBX * 8, 8);
  registers->rcx = gdb_field(text, RCX * 8, 8);
  registers->rdx = gdb_field(text, RDX * 8, 8);
  registers->rsp = gdb_field(text, RSP * 8, 8);
  registers->rip = gdb_field(text, RIP * 8, 8);
  last_cr2 = gdb_field(text, CR2_OFFSET, 8);
  return NULL;
}

static int tcg_run(struct registers *registers) {
  registers->mmio_count = 0;
  queue_registers(registers);
  registers->why = gdb_finish() ? "gdb-regs" : run_to_breakpoint();
  if (!registers->why)
    registers->why = read_registers(registers);
  if (registers->stop) {
    gdb_queue_breakpoint(0, registers->stop);
    gdb_finish();
  }
  return registers->why ? -1 : 0;
}

static uint64_t tcg_cr2(void) {
  return last_cr2;
}

const struct engine tcg_engine = {
    .open = tcg_open,
    .start = tcg_start,
    .run = tcg_run,
    .cr2 = tcg_cr2,
    .restart = tcg_restart,
    .close = remove_files,
    .loads_descriptors = 1,
};
