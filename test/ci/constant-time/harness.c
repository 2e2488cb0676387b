/*
 * Runs the kernel, as wasm2c has translated it, under valgrind's memcheck with every secret marked as undefined. Memcheck
 * then follows the secrets, and reports each branch and each address that depends on one.
 *
 * Secret: AES keys, data keys, plaintext, key and salt of HKDF, what is hashed, and all that is made of them.
 * Public: lengths, IVs, message ids, additional data, headers, info of HKDF; ciphertext, tags and commit keys once they are
 * out of the kernel, and whether they are right (hook.h).
 *
 *   harness all|few [leak]     writes a line for each stage: name, tab, findings of memcheck, tab, what else is wrong
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "frame.h"
#include "wasm-rt.h"

enum { PAGES = 8, PAGE = 0x10000, BLOCK = 16, TAG = 16, HEADER = 16, FINAL_HEADER = 24, OVERHEAD = 32 };
// Places among the arguments. Key and message id stand where the kernel wants them.
enum { KEY = 0, MESSAGE_ID = 32, IV = 64, OUTPUT = 128 };

struct w2c_env {
  wasm_rt_memory_t memory;
};

wasm_rt_memory_t* w2c_env_memory(struct w2c_env* env) {
  return &env->memory;
}

void kernel_trapped(wasm_rt_trap_t code) {
  fprintf(stderr, "the kernel has trapped: %d\n", (int)code);
  exit(3);
}

unsigned verdicts = 0;
static unsigned compared = 0; // tags, each with the commit key that is judged together with it

static struct w2c_env env;
static w2c_frame kernel;
static u32 ARGUMENTS;
static u32 DATA;
static bool all;
static bool watched; // by valgrind; without it only the answers are looked at
static char wrong[200];

// ---- what the stages are made of

static void require(bool holds, const char* format, ...) {
  if (holds || wrong[0] != 0) return;
  va_list values;
  va_start(values, format);
  vsnprintf(wrong, sizeof wrong, format, values);
  va_end(values);
}

static u8* at(u32 address) {
  return env.memory.data + address;
}

static void counting(u8* bytes, size_t length, unsigned from) {
  for (size_t i = 0; i < length; i++) bytes[i] = (u8)(from + i);
}

static void from_hex(u8* bytes, const char* text) {
  for (unsigned value; sscanf(text, "%2x", &value) == 1; text += 2) *bytes++ = (u8)value;
}

static void secret(u32 address, size_t length) {
  VALGRIND_MAKE_MEM_UNDEFINED(at(address), length);
}

static void declassify(u32 address, size_t length) {
  VALGRIND_MAKE_MEM_DEFINED(at(address), length);
}

// How many bytes depend on a secret.
static size_t tainted(const void* bytes, size_t length) {
  static u8 bits[PAGES * PAGE];
  if (length == 0 || !watched) return 0;
  if (VALGRIND_GET_VBITS(bytes, bits, length) != 1) require(false, "memcheck does not answer");
  size_t count = 0;
  for (size_t i = 0; i < length; i++) count += bits[i] != 0;
  return count;
}

static void require_secret(u32 address, size_t length, const char* name) {
  size_t count = tainted(at(address), length);
  require(!watched || count == length, "%zu of %zu bytes of %s depend on a secret", count, length, name);
}

static void require_bytes(u32 address, const u8* expected, size_t length, const char* name) {
  declassify(address, length);
  require(memcmp(at(address), expected, length) == 0, "%s: wrong answer", name);
}

// Ends an operation as the host does. Nothing secret may be left, neither in memory nor in a global.
static void wipe(void) {
  u32 keystream = *w2c_frame_KEYSTREAM_LENGTH(&kernel);
  w2c_frame_wipe(&kernel, keystream, PAGES * PAGE - DATA);
  size_t left = tainted(at(0), PAGES * PAGE) + tainted(&kernel, sizeof kernel);
  require(left == 0, "%zu secret bytes are left after wiping", left);
  declassify(0, PAGES * PAGE);
  VALGRIND_MAKE_MEM_DEFINED(&kernel, sizeof kernel);
}

static void set_key(u32 length) {
  counting(at(ARGUMENTS + KEY), length, 0);
  secret(ARGUMENTS + KEY, length);
  w2c_frame_setKey(&kernel, ARGUMENTS + KEY, length);
}

static void stage(const char* name, void (*run)(void)) {
  unsigned before = VALGRIND_COUNT_ERRORS;
  wrong[0] = 0;
  verdicts = compared = 0;
  run();
  require(verdicts == compared, "%u verdicts about %u tags", verdicts, compared);
  printf("%s\t%u\t%s\n", name, VALGRIND_COUNT_ERRORS - before, wrong);
}

// Runs what follows with each of the values, or with the first `few` of them.
#define EACH(name, few, ...)                                                          \
  for (u32 name##_values[] = {__VA_ARGS__}, name##_i = 0, name;                       \
       name##_i < (all ? sizeof name##_values / sizeof(u32) : (few)) &&               \
       (name = name##_values[name##_i], true);                                        \
       name##_i++)

// ---- AES

static void key_expansion(void) {
  EACH(length, 1, 32, 24, 16) {
    set_key(length);
    declassify(ARGUMENTS + KEY, length);
    // 16 bytes as planes of 128 for each round key: more than this.
    size_t count = tainted(at(0), PAGES * PAGE);
    require(!watched || count >= 1024, "only %zu bytes of key material", count);
    wipe();
  }
}

// ---- GCM, one message

static u32 aad_at(void) {
  return DATA;
}

static u32 text_at(u32 aad) {
  return DATA + ((aad + 15) & ~15u);
}

static void gcm_seal_one(u32 key, u32 aad, u32 length) {
  u32 text = text_at(aad);
  set_key(key);
  counting(at(ARGUMENTS + IV), 12, 100);
  counting(at(aad_at()), aad, 7);
  counting(at(text), length, 3);
  secret(text, length);
  w2c_frame_seal(&kernel, ARGUMENTS + IV, aad_at(), aad, text, length, text + length);
  require_secret(text, length, "ciphertext");
  require_secret(text + length, TAG, "tag");
  declassify(text, length + TAG);
}

static void gcm_seal(void) {
  EACH(key, 1, 32, 16, 24) EACH(aad, 2, 20, 0, 16, 81) {
    EACH(length, 2, 60, 0, 1, 15, 16, 17, 63, 64, 127, 128, 129, 4096, 4113) {
      gcm_seal_one(key, aad, length);
      wipe();
    }
  }
}

static void gcm_open_one(u32 key, u32 aad, u32 length, int altered) {
  u32 text = text_at(aad);
  static u8 sealed[0x2000], plaintext[0x2000];
  gcm_seal_one(key, aad, length);
  memcpy(sealed, at(text), length + TAG);
  wipe();
  if (altered >= 0) sealed[length + altered] ^= 0x10;
  set_key(key);
  counting(at(ARGUMENTS + IV), 12, 100);
  counting(at(aad_at()), aad, 7);
  memcpy(at(text), sealed, length + TAG);
  compared++;
  u32 right = w2c_frame_open(&kernel, ARGUMENTS + IV, aad_at(), aad, text, length, text + length);
  VALGRIND_MAKE_MEM_DEFINED(&right, sizeof right);
  require(right == (altered < 0), "a tag is judged wrongly");
  if (altered < 0) {
    require_secret(text, length, "plaintext");
    counting(plaintext, length, 3);
    require_bytes(text, plaintext, length, "opening");
  } else {
    require_bytes(text, sealed, length + TAG, "refusing");
  }
  wipe();
}

static void gcm_open(void) {
  EACH(key, 1, 32, 16, 24) EACH(aad, 1, 20, 0) EACH(length, 2, 60, 0, 16, 129, 4113) {
    for (int altered = -1; altered < TAG; altered += all ? 5 : 16) gcm_open_one(key, aad, length, altered);
  }
}

// Test case 16 of the GCM specification.
static void gcm_known_answer(void) {
  u8 expected[60 + TAG];
  from_hex(expected, "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
                     "c5f61e6393ba7a0abcc9f662" "76fc6ece0f4e1768cddf8853bb2d551b");
  u32 text = text_at(20);
  from_hex(at(ARGUMENTS + KEY), "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  secret(ARGUMENTS + KEY, 32);
  w2c_frame_setKey(&kernel, ARGUMENTS + KEY, 32);
  from_hex(at(ARGUMENTS + IV), "cafebabefacedbaddecaf888");
  from_hex(at(aad_at()), "feedfacedeadbeeffeedfacedeadbeefabaddad2");
  from_hex(at(text), "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
                     "b16aedf5aa0de657ba637b39");
  secret(text, 60);
  w2c_frame_seal(&kernel, ARGUMENTS + IV, aad_at(), 20, text, 60, text + 60);
  require_bytes(text, expected, sizeof expected, "test case 16");
  wipe();
}

// ---- frames

struct job {
  u32 id, length, first, regular;
  s32 last; // -1: no final frame
  bool host; // AES by the host
};

static const struct job JOBS[] = {
    {32, 17, 250, 9, 0, false},   {32, 2064, 1, 3, 33, false}, {16, 64, 1, 5, -1, false}, {32, 5000, 1, 1, -1, false},
    {32, 4096, 7, 0, 4095, false}, {16, 1, 1, 300, 1, false},   {32, 17, 250, 9, 0, true}, {16, 2064, 1, 3, 33, true},
};

static u32 frames_of(const struct job* job) {
  return job->regular + (job->last >= 0);
}

static u32 plaintext_length(const struct job* job) {
  return job->regular * job->length + (job->last > 0 ? (u32)job->last : 0);
}

static u32 sealed_length(const struct job* job) {
  u32 regular = job->regular * (job->length + OVERHEAD);
  return job->last < 0 ? regular : regular + FINAL_HEADER + (u32)job->last + TAG;
}

// Where a frame's content begins, and its length.
static u32 content_of(const struct job* job, u32 frame, u32* length) {
  bool final = frame == job->regular;
  *length = final ? (u32)job->last : job->length;
  return frame * (job->length + OVERHEAD) + (final ? FINAL_HEADER : HEADER);
}

static u32 plaintext_at(const struct job* job) {
  return DATA + ((sealed_length(job) + 15) & ~15u);
}

static void start(const struct job* job, bool seal) {
  u32 plaintext = plaintext_at(job);
  if (frames_of(job) == 1) {
    // One frame is worked on in place.
    u32 length;
    plaintext = DATA + content_of(job, 0, &length);
    if (seal) memmove(at(plaintext), at(plaintext_at(job)), length);
  }
  w2c_frame_startJob(&kernel, plaintext, DATA, job->length, job->first, job->regular, (u32)job->last, seal);
}

static void begin_message(const struct job* job) {
  counting(at(ARGUMENTS + MESSAGE_ID), job->id, 50);
  w2c_frame_setMessageId(&kernel, job->id);
  if (!job->host) set_key(32);
}

// In place of the host's AES: any function of the block. Its output is secret.
static void encrypt_by_host(u32 address, u32 count) {
  for (u8* block = at(address); block < at(address + count * BLOCK); block += BLOCK) {
    for (int i = 1; i < 2 * BLOCK; i++) block[i % BLOCK] += 77 * (block[(i - 1) % BLOCK] ^ i);
  }
  secret(address, count * BLOCK);
}

// A job as the host does it when AES is its own: masks of the tags first, then the text in runs of a few blocks.
static u32 job_by_host(const struct job* job, bool seal) {
  u32 hash_key = *w2c_frame_KEYSTREAM(&kernel), masks = hash_key + BLOCK;
  memset(at(hash_key), 0, BLOCK);
  u32 count = w2c_frame_nextMasks(&kernel, masks, *w2c_frame_MAX_FRAMES(&kernel));
  require(count == frames_of(job), "%u masks for %u frames", count, frames_of(job));
  encrypt_by_host(hash_key, 1 + count);
  w2c_frame_setHashKey(&kernel, hash_key);
  u32 text = masks + count * BLOCK;
  u32 done = seal ? 0 : w2c_frame_takeMasks(&kernel, masks, count);
  for (u32 n; (n = w2c_frame_nextCounters(&kernel, text, 24)) > 0;) {
    encrypt_by_host(text, n);
    w2c_frame_takeKeystream(&kernel, text, n);
  }
  return seal ? w2c_frame_takeMasks(&kernel, masks, count) : done;
}

static u8 sealed_frames[PAGES * PAGE];

static void seal_frames(const struct job* job) {
  u32 length = plaintext_length(job);
  begin_message(job);
  counting(at(plaintext_at(job)), length, 9);
  secret(plaintext_at(job), length);
  start(job, true);
  if (job->host) job_by_host(job, true);
  else w2c_frame_sealJob(&kernel);
  for (u32 frame = 0, header = 0; frame < frames_of(job); frame++) {
    u32 content_length, content = content_of(job, frame, &content_length);
    require(tainted(at(DATA + header), content - header) == 0, "a frame header depends on a secret");
    require_secret(DATA + content, content_length + TAG, "a frame");
    header = content + content_length + TAG;
  }
  declassify(DATA, sealed_length(job));
  memcpy(sealed_frames, at(DATA), sealed_length(job));
  wipe();
}

// Opens them again; the tag of frame `altered` is wrong.
static void open_frames(const struct job* job, u32 altered, u32 byte) {
  static u8 expected[PAGES * PAGE];
  u32 content_length, count = frames_of(job);
  begin_message(job);
  memcpy(at(DATA), sealed_frames, sealed_length(job));
  if (altered < count) {
    u32 content = content_of(job, altered, &content_length);
    at(DATA)[content + content_length + byte] ^= 1;
  }
  start(job, false);
  compared += altered < count ? altered + 1 : count;
  u32 opened = job->host ? job_by_host(job, false) : w2c_frame_openJob(&kernel);
  require(opened == (altered < count ? altered : count), "%u frames have been opened", opened);
  bool in_place = count == 1;
  if (opened > 0) {
    u32 length = opened == count ? plaintext_length(job) : opened * job->length;
    u32 text = in_place ? DATA + content_of(job, 0, &content_length) : plaintext_at(job);
    require_secret(text, length, "plaintext");
    counting(expected, length, 9);
    require_bytes(text, expected, length, "opening frames");
  }
  wipe();
}

static void frames_seal(void) {
  for (size_t i = 0; i < (all ? sizeof JOBS / sizeof *JOBS : 1); i++) seal_frames(&JOBS[i]);
}

static void frames_open(void) {
  for (size_t i = 0; i < (all ? sizeof JOBS / sizeof *JOBS : 1); i++) {
    const struct job* job = &JOBS[i];
    u32 count = frames_of(job);
    seal_frames(job);
    open_frames(job, count, 0);
    open_frames(job, 0, 0);
    open_frames(job, count / 2, 7);
    open_frames(job, count - 1, TAG - 1);
  }
}

// ---- HKDF

static void derive(u32 bits, u32 salt, u32 key, u32 info) {
  u32 salt_at = DATA, key_at = DATA + 1024, info_at = DATA + 2048;
  counting(at(salt_at), salt, 32);
  counting(at(key_at), key, 0);
  counting(at(info_at), info, 200);
  secret(salt_at, salt);
  secret(key_at, key);
  w2c_frame_extract(&kernel, bits, salt_at, salt, key_at, key);
  w2c_frame_expand(&kernel, bits, info_at, info, ARGUMENTS + OUTPUT);
  require_secret(ARGUMENTS + OUTPUT, bits / 8, "output");
}

static void hkdf(void) {
  EACH(bits, 1, 256, 384, 512) EACH(salt, 1, 32, 0, 140) EACH(key, 1, 32, 16, 300) {
    EACH(info, 1, 66, 0, 57, 63, 120, 127, 300) {
      derive(bits, salt, key, info);
      w2c_frame_expand(&kernel, bits, DATA + 2048, info, ARGUMENTS + OUTPUT);
      wipe();
    }
  }
}

// The answers of the kernel's self-test, which other implementations have given.
static void hkdf_known_answers(void) {
  static const char* const ANSWERS[] = {
      "aa056bbd78156c75513abd6f796ad15b6de9e97715f039689e520e302ddecff4",
      "fecd15fda9a72dd9c69e6fd7a6922492cef9a889acae96b9127f65608e5ee50523c46d45fad60e5e9a596296fed523b3",
      "874ddb36b367fbc6e248610f7f3cb86c6e4f6bfe2728a280ffa7b8193f7e1714"
      "5f9b87de52bbfcc475c49f5348085c3ef7a00ee89dd89d21372f0483e25221f6",
  };
  u8 expected[64];
  for (u32 i = 0; i < 3; i++) {
    static const u32 BITS[] = {256, 384, 512};
    from_hex(expected, ANSWERS[i]);
    derive(BITS[i], 140, 32, 13);
    require_bytes(ARGUMENTS + OUTPUT, expected, BITS[i] / 8, "HKDF");
    wipe();
  }
}

// ---- headers

struct header {
  u32 bits, key, salt, info;
  s32 commit_info; // -1: no commit key
  u32 length, rest;
};

enum { HEADER_IV = 16, DATA_KEY = 28, COMMIT_KEY = 64, COMMIT_LENGTH = 32, HEADER_TAG = 128 };

static const struct header HEADERS[] = {
    {512, 32, 32, 11, 9, 103, 37}, {256, 16, 0, 18, -1, 103, 37}, {512, 32, 32, 11, 9, 32, 0},
    {256, 16, 0, 18, -1, 0, 0},    {384, 24, 0, 18, -1, 31, 1},   {384, 32, 0, 34, 200, 1000, 700},
    {512, 32, 140, 57, 0, 64, 16}, {256, 24, 63, 66, 63, 33, 5},
};

// As the self-test has it. Returns where the header is.
static u32 put_header(const struct header* header) {
  u32 salt = DATA + DATA_KEY + header->key, info = salt + header->salt, commit_info = info + header->info;
  u32 body = commit_info + (header->commit_info > 0 ? (u32)header->commit_info : 0);
  counting(at(DATA + HEADER_IV), 12, 0);
  counting(at(DATA + DATA_KEY), header->key, 0);
  counting(at(salt), header->salt, 32);
  counting(at(info), header->info, 200);
  counting(at(commit_info), body - commit_info, 220);
  counting(at(body), header->length, 0);
  counting(at(body + header->length), header->rest, 150);
  secret(DATA + DATA_KEY, header->key + header->salt);
  return body;
}

static u32 seal_header(const struct header* header) {
  u32 body = put_header(header), output = ARGUMENTS + OUTPUT;
  w2c_frame_sealHeader(&kernel, header->bits, DATA, header->key, header->salt, header->info, (u32)header->commit_info,
                       header->length, header->rest, header->key, output);
  require_secret(output, header->key, "derived key");
  require_secret(output + HEADER_TAG, TAG, "tag");
  if (header->commit_info >= 0) {
    u32 place = body + header->length - COMMIT_LENGTH;
    require_secret(output + COMMIT_KEY, COMMIT_LENGTH, "commit key");
    declassify(output + COMMIT_KEY, COMMIT_LENGTH);
    require_bytes(place, at(output + COMMIT_KEY), COMMIT_LENGTH, "commit key in the header");
  }
  declassify(output + HEADER_TAG, TAG);
  return body;
}

static void header_seal(void) {
  for (size_t i = 0; i < (all ? sizeof HEADERS / sizeof *HEADERS : 1); i++) {
    seal_header(&HEADERS[i]);
    wipe();
  }
}

// Opens what has been sealed, with one byte altered: of the tag or, behind it, of the commit key.
static void open_header(const struct header* header, int altered) {
  u8 tag[TAG], sent[COMMIT_LENGTH];
  u32 output = ARGUMENTS + OUTPUT, place = seal_header(header) + header->length - COMMIT_LENGTH;
  bool commits = header->commit_info >= 0;
  memcpy(tag, at(output + HEADER_TAG), TAG);
  if (commits) memcpy(sent, at(place), COMMIT_LENGTH);
  wipe();
  put_header(header);
  memcpy(at(DATA), tag, TAG);
  if (commits) memcpy(at(place), sent, COMMIT_LENGTH);
  if (altered >= 0) at(altered < TAG ? DATA : place - TAG)[altered] ^= 0x10;
  compared++;
  u32 right = w2c_frame_openHeader(&kernel, header->bits, DATA, header->key, header->salt, header->info,
                                   (u32)header->commit_info, header->length, header->rest, header->key, output);
  VALGRIND_MAKE_MEM_DEFINED(&right, sizeof right);
  require(right == (altered < 0), "a header is judged wrongly, byte %d", altered);
  require_secret(output, header->key, "derived key");
  wipe();
}

static void header_open(void) {
  for (size_t i = 0; i < (all ? sizeof HEADERS / sizeof *HEADERS : 1); i++) {
    int end = HEADERS[i].commit_info >= 0 ? TAG + COMMIT_LENGTH : TAG;
    for (int altered = -1; altered < end; altered += all ? 1 : 8) open_header(&HEADERS[i], altered);
  }
}

// A commit key that is wrong under a tag that is right: sealed as if there were none.
static void header_of_another_key(void) {
  struct header plain = HEADERS[0];
  u8 tag[TAG];
  plain.commit_info = -1;
  seal_header(&plain);
  memcpy(tag, at(ARGUMENTS + OUTPUT + HEADER_TAG), TAG);
  wipe();
  put_header(&HEADERS[0]);
  memcpy(at(DATA), tag, TAG);
  compared++;
  u32 right = w2c_frame_openHeader(&kernel, plain.bits, DATA, plain.key, plain.salt, plain.info,
                                   (u32)HEADERS[0].commit_info, plain.length, plain.rest, plain.key,
                                   ARGUMENTS + OUTPUT);
  VALGRIND_MAKE_MEM_DEFINED(&right, sizeof right);
  require(right == 0, "a wrong commit key has been taken");
  wipe();
}

// The answers of the kernel's self-test: derived key, commit key, tag.
static void header_known_answers(void) {
  static const char* const ANSWERS[][3] = {
      {"8f92187772d611b66f285fcb95524996bd145651b24a173af24fc9cc69dc7b83",
       "3dc9ff9a63e780c5c135184363a3ac9e8127f450051b068b09ddf7f9503fe8be", "ee7879b1686c6187f63c74ec3c2e3774"},
      {"a47073ee116e7ba1c3792f3f50b5dc91", "", "fab5393d3a3ff56d1931cdd67d448cb7"},
  };
  u8 expected[COMMIT_LENGTH];
  u32 output = ARGUMENTS + OUTPUT;
  for (int i = 0; i < 2; i++) {
    seal_header(&HEADERS[i]);
    from_hex(expected, ANSWERS[i][0]);
    require_bytes(output, expected, HEADERS[i].key, "derived key");
    from_hex(expected, ANSWERS[i][1]);
    if (HEADERS[i].commit_info >= 0) require_bytes(output + COMMIT_KEY, expected, COMMIT_LENGTH, "commit key");
    from_hex(expected, ANSWERS[i][2]);
    require_bytes(output + HEADER_TAG, expected, TAG, "tag of a header");
    wipe();
  }
  header_of_another_key();
}

// ---- SHA-2 in steps

// Hashes 0, 1, 2 and so on in these pieces. Returns where the digest is.
static u32 hash_pieces(u32 bits, const u32* pieces, u32 count) {
  u32 context = DATA, piece = DATA + 512, output = DATA + 256, from = 0;
  w2c_frame_hashInit(&kernel, context, bits);
  for (u32 i = 0; i < count; from += pieces[i++]) {
    counting(at(piece), pieces[i], from);
    secret(piece, pieces[i]);
    w2c_frame_hashUpdate(&kernel, context, bits, piece, pieces[i]);
  }
  w2c_frame_hashFinal(&kernel, context, bits, output);
  require_secret(output, from > 0 ? bits / 8 : 0, "digest");
  return output;
}

static void sha2(void) {
  EACH(bits, 1, 256, 384, 512) EACH(first, 2, 0, 63, 1, 64, 111, 128, 300) EACH(second, 2, 100, 0, 1, 55, 56, 128, 700) {
    u32 pieces[] = {first, second};
    hash_pieces(bits, pieces, 2);
    wipe();
  }
}

// The answers of the kernel's self-test.
static void sha2_known_answers(void) {
  static const char* const ANSWERS[] = {
      "8a6b2159bcb392e9050f093d7cea1010993973eb3164d0099d2961c3610fb4d7",
      "7263a7745daacbecd55d2c7ac6a8f4a809bc55f96e0ca54b0e8cd391e8b2992d848d49444e52ae6ee43dc135fad249c6",
      "a496013faccd4c2cc09c214736811521533c2feb200ccbc241728f3af2831b14"
      "c1b44b7ff6eabefb62cbed6528a609e9248e9eef9949474c5888d1f8ca6262de",
  };
  static const u32 PIECES[] = {1, 127, 0, 300, 77, 6};
  u8 expected[64];
  for (u32 i = 0; i < 3; i++) {
    static const u32 BITS[] = {256, 384, 512};
    from_hex(expected, ANSWERS[i]);
    require_bytes(hash_pieces(BITS[i], PIECES, sizeof PIECES / sizeof *PIECES), expected, BITS[i] / 8, "SHA-2");
    wipe();
  }
}

int main(int count, char** arguments) {
  if (count < 2) return 2;
  all = strcmp(arguments[1], "all") == 0;
  watched = RUNNING_ON_VALGRIND;
  setvbuf(stdout, NULL, _IOLBF, 0);
  wasm_rt_init();
  wasm_rt_allocate_memory(&env.memory, PAGES, PAGES, false);
  wasm2c_frame_instantiate(&kernel, &env);
  ARGUMENTS = *w2c_frame_ARGUMENTS(&kernel);
  DATA = *w2c_frame_DATA(&kernel);
#ifdef LEAKY
  w2c_frame_plant(&kernel, count > 2 ? (u32)atoi(arguments[2]) : 0);
#endif
  stage("key expansion", key_expansion);
  stage("GCM seal", gcm_seal);
  stage("GCM open, right and wrong tags", gcm_open);
  stage("GCM known answer", gcm_known_answer);
  stage("frames seal", frames_seal);
  stage("frames open, right and wrong tags", frames_open);
  stage("HKDF", hkdf);
  stage("HKDF known answers", hkdf_known_answers);
  stage("header seal", header_seal);
  stage("header open, right and wrong tags and commit keys", header_open);
  stage("header known answers", header_known_answers);
  stage("SHA-2 in steps", sha2);
  stage("SHA-2 known answers", sha2_known_answers);
  return 0;
}
