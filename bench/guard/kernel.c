/*
 * Fixed work for the kernel, as wasm2c has translated it, under valgrind's callgrind: the instructions of each piece are
 * dumped under its name. Run outside of callgrind it only checks that everything opens again.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

#include "frame.h"
#include "wasm-rt.h"

enum { PAGES = 8, TAG = 16, HEADER = 16, OVERHEAD = 32, NO_FINAL = -1 };
// Places among the arguments, and in the input and the output of a header.
enum { KEY = 0, MESSAGE_ID = 32, OUTPUT = 128 };
enum { HEADER_IV = 16, DATA_KEY = 28, COMMIT_KEY = 64, HEADER_TAG = 128, COMMIT_LENGTH = 32 };

struct w2c_env {
  wasm_rt_memory_t memory;
};

wasm_rt_memory_t* w2c_env_memory(struct w2c_env* env) {
  return &env->memory;
}

static struct w2c_env env;
static w2c_frame kernel;
static u32 ARGUMENTS;
static u32 DATA;
static u8 sealed[0x80000];

static void stop(const char* why) {
  fprintf(stderr, "%s\n", why);
  exit(3);
}

void kernel_trapped(wasm_rt_trap_t code) {
  (void)code;
  stop("the kernel has trapped");
}

static u8* at(u32 address) {
  return env.memory.data + address;
}

static void counting(u32 address, u32 length, unsigned from) {
  for (u32 i = 0; i < length; i++) at(address)[i] = (u8)(from + i);
}

// Counts what lies between them, under this name.
#define COUNTED(name, call)              \
  do {                                   \
    CALLGRIND_ZERO_STATS;                \
    call;                                \
    CALLGRIND_DUMP_STATS_AT(name);       \
  } while (0)

// What ends each call of the host.
static void wipe(void) {
  w2c_frame_wipe(&kernel, *w2c_frame_KEYSTREAM_LENGTH(&kernel), PAGES * 0x10000 - DATA);
}

static void begin(u32 plaintext, u32 length, u32 count, bool seal) {
  counting(ARGUMENTS + MESSAGE_ID, 32, 50);
  w2c_frame_setMessageId(&kernel, 32);
  counting(ARGUMENTS + KEY, 32, 0);
  w2c_frame_setKey(&kernel, ARGUMENTS + KEY, 32);
  w2c_frame_startJob(&kernel, plaintext, DATA, length, 1, count, (u32)NO_FINAL, seal);
}

static void seal(u32 plaintext, u32 length, u32 count) {
  begin(plaintext, length, count, true);
  w2c_frame_sealJob(&kernel);
}

static u32 open(u32 plaintext, u32 length, u32 count) {
  begin(plaintext, length, count, false);
  return w2c_frame_openJob(&kernel);
}

static void frames(const char* seal_name, const char* open_name, u32 length, u32 count) {
  u32 total = count * (length + OVERHEAD), plaintext = DATA + ((total + 15) & ~15u), opened = 0;
  counting(plaintext, length * count, 9);
  COUNTED(seal_name, seal(plaintext, length, count));
  memcpy(sealed, at(DATA), total);
  wipe();
  memcpy(at(DATA), sealed, total);
  COUNTED(open_name, opened = open(plaintext, length, count));
  if (opened != count) stop("a frame has not been opened");
  for (u32 i = 0; i < length * count; i++)
    if (at(plaintext)[i] != (u8)(9 + i)) stop("a frame has been opened to something else");
  wipe();
}

// The derived key and the commit key of suite 0x0478.
static void hkdf(void) {
  w2c_frame_extract(&kernel, 512, DATA, 32, DATA + 1024, 32);
  w2c_frame_expand(&kernel, 512, DATA + 2048, 11, ARGUMENTS + OUTPUT);
  w2c_frame_expand(&kernel, 512, DATA + 2064, 9, ARGUMENTS + OUTPUT);
}

// A header of suite 0x0478: 103 bytes, 37 more that are authenticated with them.
static void put_header(void) {
  counting(DATA + HEADER_IV, 12, 0);
  counting(DATA + DATA_KEY, 32 + 32 + 11 + 9 + 103 + 37, 0);
}

static void seal_header(void) {
  w2c_frame_sealHeader(&kernel, 512, DATA, 32, 32, 11, 9, 103, 37, 32, ARGUMENTS + OUTPUT);
}

static u32 open_header(void) {
  return w2c_frame_openHeader(&kernel, 512, DATA, 32, 32, 11, 9, 103, 37, 32, ARGUMENTS + OUTPUT);
}

static void header(void) {
  u8 tag[TAG], commit_key[COMMIT_LENGTH];
  u32 right = 0, end = DATA + DATA_KEY + 32 + 32 + 11 + 9 + 103;
  put_header();
  COUNTED("header: seal", seal_header());
  memcpy(tag, at(ARGUMENTS + OUTPUT + HEADER_TAG), TAG);
  memcpy(commit_key, at(ARGUMENTS + OUTPUT + COMMIT_KEY), COMMIT_LENGTH);
  wipe();
  put_header();
  memcpy(at(DATA), tag, TAG);
  memcpy(at(end - COMMIT_LENGTH), commit_key, COMMIT_LENGTH);
  COUNTED("header: open", right = open_header());
  if (right != 1) stop("a header has not been opened");
  wipe();
}

int main(void) {
  wasm_rt_init();
  wasm_rt_allocate_memory(&env.memory, PAGES, PAGES, false);
  wasm2c_frame_instantiate(&kernel, &env);
  ARGUMENTS = *w2c_frame_ARGUMENTS(&kernel);
  DATA = *w2c_frame_DATA(&kernel);
  frames("64 frames of 256 B: seal", "64 frames of 256 B: open", 256, 64);
  frames("32 frames of 4 KiB: seal", "32 frames of 4 KiB: open", 4096, 32);
  frames("2 frames of 1 KiB: seal", "2 frames of 1 KiB: open", 1024, 2);
  COUNTED("HKDF: two keys of 0x0478", hkdf());
  wipe();
  header();
  return 0;
}
