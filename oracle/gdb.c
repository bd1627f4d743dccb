#include "gdb.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
  BUFFER_BYTES = 1 << 16,
  ANSWER_MS = 3000,
  CONNECT_TRIES = 300,
  CONNECT_WAIT_US = 20000,
};

static int connection = -1;

static char outgoing[BUFFER_BYTES];
static int outgoing_count;
static int queued_commands;

static char incoming[BUFFER_BYTES];
static int incoming_count, incoming_next;
static char answer[BUFFER_BYTES];

/* ---- bytes ---- */

static int next_byte(int milliseconds) {
  if (incoming_next == incoming_count) {
    struct pollfd readable = {.fd = connection, .events = POLLIN};
    incoming_next = incoming_count = 0;
    if (poll(&readable, 1, milliseconds) <= 0)
      return -1;
    ssize_t count = read(connection, incoming, sizeof incoming);
    if (count <= 0)
      return -1;
    incoming_count = count;
  }
  return (unsigned char)incoming[incoming_next++];
}

static void send_bytes(const char *bytes, int count) {
  for (int sent = 0; sent < count;) {
    ssize_t part = write(connection, bytes + sent, count - sent);
    if (part <= 0) {
      perror("oracle: the connection to QEMU");
      exit(2);
    }
    sent += part;
  }
}

/* ---- packets: $text#checksum ---- */

static void flush(void) {
  send_bytes(outgoing, outgoing_count);
  outgoing_count = 0;
}

static void append(const char *text) {
  unsigned char sum = 0;
  for (const char *c = text; *c; c++)
    sum += *c;
  if (outgoing_count + strlen(text) + 5 > sizeof outgoing)
    flush();
  outgoing_count += sprintf(outgoing + outgoing_count, "$%s#%02x", text, sum);
}

static void queue(const char *command) {
  append(command);
  queued_commands++;
}

void gdb_queue_register(int number, uint64_t value, int bytes) {
  char command[64];
  int count = sprintf(command, "P%x=", number);
  for (int i = 0; i < bytes; i++)
    count += sprintf(command + count, "%02x", (unsigned)(value >> (8 * i)) & 0xff);
  queue(command);
}

void gdb_queue_breakpoint(int is_set, uint64_t address) {
  char command[40];
  sprintf(command, "%c0,%llx,1", is_set ? 'Z' : 'z', (unsigned long long)address);
  queue(command);
}

void gdb_send(const char *command) {
  append(command);
  flush();
}

int gdb_finish(void) {
  int result = 0;
  flush();
  for (; queued_commands; queued_commands--) {
    const char *text = gdb_receive(ANSWER_MS);
    if (!text)
      return -1;
    if (strcmp(text, "OK"))
      result = -1;
  }
  return result;
}

const char *gdb_receive(int milliseconds) {
  int byte, count = 0;
  do {
    byte = next_byte(milliseconds);
    if (byte < 0)
      return NULL;
  } while (byte != '$');
  while ((byte = next_byte(milliseconds)) != '#') {
    if (byte < 0)
      return NULL;
    if (count < (int)sizeof answer - 1)
      answer[count++] = byte;
  }
  answer[count] = 0;
  next_byte(milliseconds);
  next_byte(milliseconds);
  return answer;
}

void gdb_interrupt(void) {
  send_bytes("\x03", 1);
  gdb_receive(2000);
  gdb_receive(2000);
}

uint64_t gdb_field(const char *registers, int offset, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; i++) {
    const char *digits = registers + 2 * (offset + i);
    char byte[3] = {digits[0], digits[1], 0};
    value |= (uint64_t)strtoul(byte, NULL, 16) << (8 * i);
  }
  return value;
}

/* ---- the connection ---- */

static int connect_to(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
  if (!connect(descriptor, (struct sockaddr *)&address, sizeof address))
    return descriptor;
  close(descriptor);
  return -1;
}

static int ask(const char *command) {
  gdb_send(command);
  return gdb_receive(ANSWER_MS) ? 0 : -1;
}

/* QEMU tells the control registers only to a client that has read their description. */
int gdb_connect(const char *path) {
  for (int i = 0; connection < 0 && i < CONNECT_TRIES; i++) {
    usleep(CONNECT_WAIT_US);
    connection = connect_to(path);
  }
  if (connection < 0)
    return -1;
  send_bytes("+", 1);
  if (ask("QStartNoAckMode"))
    return -1;
  ask("qSupported:xmlRegisters=i386");
  ask("qXfer:features:read:target.xml:0,ffb");
  ask("?");
  return 0;
}

void gdb_disconnect(void) {
  if (connection >= 0)
    close(connection);
  connection = -1;
  outgoing_count = incoming_count = incoming_next = queued_commands = 0;
}
