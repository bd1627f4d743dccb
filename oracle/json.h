/* A reader for one line of JSON: numbers and "0x..." strings alike are 64-bit integers. */
#ifndef JSON_H
#define JSON_H

#include <stdint.h>

struct json {
  const char *key; /* of this member, when it is in an object */
  const char *string;
  uint64_t number;
  struct json *child, *next;
};

/* Parses `line` in place; the result lives until the next call. Ends the process on bad input. */
struct json *json_parse(char *line);

struct json *json_get(const struct json *object, const char *key);
uint64_t json_number(const struct json *object, const char *key, uint64_t otherwise);
const char *json_string(const struct json *object, const char *key, const char *otherwise);

#endif
