#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODES_MAX = 1 << 16 };

static struct json nodes[NODES_MAX];
static int node_count;
static char *at;

static void fail(const char *what) {
  fprintf(stderr, "oracle: %s in the input, at: %.20s\n", what, at);
  exit(2);
}

/* Commas separate nothing that white space would not. */
static void skip_space(void) {
  at += strspn(at, " \t\r\n,");
}

static struct json *new_node(void) {
  if (node_count == NODES_MAX)
    fail("too many values");
  struct json *node = &nodes[node_count++];
  memset(node, 0, sizeof *node);
  return node;
}

/* `at` is the opening quote; escapes are passed over, not decoded. */
static char *parse_string(void) {
  char *start = ++at;
  while (*at && *at != '"') {
    if (*at == '\\' && at[1])
      at++;
    at++;
  }
  if (*at)
    *at++ = 0;
  return start;
}

static char *parse_key(void) {
  if (*at != '"')
    fail("no key");
  char *key = parse_string();
  skip_space();
  if (*at == ':')
    at++;
  return key;
}

static struct json *parse_value(void);

static void parse_members(struct json *parent, int is_object) {
  char end = is_object ? '}' : ']';
  struct json **tail = &parent->child;
  at++;
  for (skip_space(); *at && *at != end; skip_space()) {
    char *key = is_object ? parse_key() : NULL;
    *tail = parse_value();
    (*tail)->key = key;
    tail = &(*tail)->next;
  }
  if (*at)
    at++;
}

static void parse_integer(struct json *node) {
  char *end;
  node->number = *at == '-' ? (uint64_t)strtoll(at, &end, 0) : strtoull(at, &end, 0);
  if (end == at)
    fail("no value");
  at = end;
}

static struct json *parse_value(void) {
  struct json *node = new_node();
  skip_space();
  switch (*at) {
  case '{':
  case '[':
    parse_members(node, *at == '{');
    break;
  case '"':
    node->string = parse_string();
    node->number = strtoull(node->string, NULL, 0);
    break;
  case 't':
  case 'f':
  case 'n':
    node->number = *at == 't';
    at += strspn(at, "abcdefghijklmnopqrstuvwxyz");
    break;
  default:
    parse_integer(node);
  }
  return node;
}

struct json *json_parse(char *line) {
  node_count = 0;
  at = line;
  return parse_value();
}

struct json *json_get(const struct json *object, const char *key) {
  struct json *member = object ? object->child : NULL;
  while (member && (!member->key || strcmp(member->key, key)))
    member = member->next;
  return member;
}

uint64_t json_number(const struct json *object, const char *key, uint64_t otherwise) {
  const struct json *member = json_get(object, key);
  return member ? member->number : otherwise;
}

const char *json_string(const struct json *object, const char *key, const char *otherwise) {
  const struct json *member = json_get(object, key);
  return member && member->string ? member->string : otherwise;
}
