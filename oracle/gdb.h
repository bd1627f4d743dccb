/* A client of the gdb remote protocol, as far as QEMU's stub needs it. Commands are queued and
 * sent together, because the latency of a packet is most of what a case costs. */
#ifndef GDB_H
#define GDB_H

#include <stdint.h>

/* Returns 0, or -1 if nobody listens on the socket in time. */
int gdb_connect(const char *path);
void gdb_disconnect(void);

/* A register that is written, or a breakpoint that is set or removed. */
void gdb_queue_register(int number, uint64_t value, int bytes);
void gdb_queue_breakpoint(int is_set, uint64_t address);
/* Sends what is queued and takes the answers; -1 if one was not "OK". */
int gdb_finish(void);

/* Sends a command whose answer is to be received. */
void gdb_send(const char *command);
/* NULL if there is no answer in time. */
const char *gdb_receive(int milliseconds);
/* Stops the guest, and takes what that is answered with. */
void gdb_interrupt(void);

/* Of the answer to "g": `bytes` little endian from this offset in bytes. */
uint64_t gdb_field(const char *registers, int offset, int bytes);

#endif
