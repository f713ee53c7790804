#pragma once
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

// rd_kafka_producev is variadic and rd_kafka_produceva takes unions, neither of which Swift can fill. Copies key and value; the headers are the library's
// from here on, unless it answers with an error.
static inline rd_kafka_error_t *shim_kafka_produce(
    rd_kafka_t *handle, rd_kafka_topic_t *topic, int32_t partition, const void *key, size_t key_size, const void *value, size_t value_size,
    rd_kafka_headers_t *headers, uintptr_t opaque) {
  rd_kafka_vu_t parts[] = {
      {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
      {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
      {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
      {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)key, key_size}},
      {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)value, value_size}},
      {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
      {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)opaque},
  };
  return rd_kafka_produceva(handle, parts, sizeof(parts) / sizeof(parts[0]));
}
