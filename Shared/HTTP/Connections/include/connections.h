// HTTP/1.1 connections: Boost.Beast parses, Boost.Asio waits, Swift decides.
// A connection is a number, so that an answer that comes too late falls on nothing. Every function may be called from
// any thread until `http_free`; none throws. Bytes given are copied, bytes received are valid during the callback only.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define HTTP_NOEXCEPT noexcept
extern "C" {
#else
#define HTTP_NOEXCEPT
#endif

typedef struct {
  const void *_Nullable data;
  size_t size;
} http_bytes;
typedef struct {
  http_bytes name, value;
} http_field;
typedef struct {
  uintptr_t ref;
} http_server;
typedef uint64_t http_connection;

/// A complete request. Trailer fields are not among its fields.
typedef struct {
  http_server server;
  http_connection connection;
  http_bytes method, target, address; // address: of the peer, without port, IPv4 in dotted form
  const http_field *_Nullable fields;
  size_t field_count;
  http_bytes body;
  int version; // 10 or 11
} http_request;

/// An address family-independent network: IPv4 as ::ffff:a.b.c.d with 96 added to its prefix length.
typedef struct {
  uint8_t address[16];
  uint32_t prefix;
} http_network;

/// A target whose path ends with `suffix` may carry `bytes` of body.
typedef struct {
  http_bytes suffix;
  uint64_t bytes;
} http_body_limit;

/// Times in milliseconds, sizes in bytes.
typedef struct {
  const http_bytes *_Nullable addresses; // numeric; all listen on the same port
  size_t address_count;
  uint16_t port; // 0: the system chooses
  uint32_t threads;
  uint32_t max_connections, max_per_address; // IPv6: per /64
  const http_network *_Nullable trusted;     // no limit per address for these
  size_t trusted_count;
  uint32_t header_limit;                        // request line and fields together
  uint64_t body_limit;                          // where no entry of body_limits fits
  const http_body_limit *_Nullable body_limits; // the longest suffix that fits counts
  size_t body_limit_count;
  uint32_t stream_limit; // unsent bytes of one stream
  uint32_t request_time, idle_time, write_time, linger_time;
  uint64_t linger_limit; // what is read and thrown away after a refusal
} http_settings;

typedef struct {
  void *_Nullable context;
  /// Is answered once, by http_respond or http_open_stream, unless `gone` comes first; at once, before it returns, where that can be.
  void (*_Nonnull request)(void *_Nullable context, const http_request *_Nonnull);
  /// The client left or was cut off while it waited for its answer or listened to its stream.
  void (*_Nonnull gone)(void *_Nullable context, http_connection);
  /// A request was answered with this status without having been handed over, or a stream could not be opened, for the reason in `detail`;
  /// `milliseconds` since it began.
  void (*_Nonnull refused)(void *_Nullable context, int status, http_bytes detail, uint32_t milliseconds);
  /// What http_flush asked for.
  void (*_Nonnull flushed)(void *_Nullable context, http_connection);
} http_callbacks;

typedef struct {
  uint64_t connections, streams; // now
  uint64_t accepted, requests;   // since the start
  uint64_t cut, timeouts, left;  // streams too slow; clients too slow; clients that left before their answer or stream ended
} http_counts;

/// Listens and returns the server, or ref 0 with the reason and errno. `port` becomes the port chosen.
http_server http_start(http_settings, http_callbacks, uint16_t *_Nonnull port, int *_Nonnull number, char *_Nonnull reason,
                       size_t reason_size) HTTP_NOEXCEPT;
/// Stops accepting, closes idle connections, ends streams; running requests are answered with `Connection: close`. What is left after
/// `deadline` ms is closed.
void http_stop(http_server, uint32_t deadline) HTTP_NOEXCEPT;
/// Returns when every connection has ended after http_stop; no callback comes afterwards.
void http_wait(http_server) HTTP_NOEXCEPT;
/// After http_wait, once nobody holds the server any more.
void http_free(http_server) HTTP_NOEXCEPT;

/// `fields` are whole lines "Name: value\r\n" without Date, Connection, Content-Length and Transfer-Encoding.
void http_respond(http_server, http_connection, int status, http_bytes fields, http_bytes body) HTTP_NOEXCEPT;
/// Opens a chunked answer; where that cannot be (HEAD, HTTP/1.0, stopping, gone), `gone` comes.
void http_open_stream(http_server, http_connection, int status, http_bytes fields) HTTP_NOEXCEPT;
/// Pushes the same bytes into many streams; a stream with more than stream_limit unsent is cut off.
void http_push(http_server, const http_connection *_Nonnull, size_t count, http_bytes event) HTTP_NOEXCEPT;
/// Calls `flushed` once what was pushed until now has been written (or at once where there is no such stream).
void http_flush(http_server, http_connection) HTTP_NOEXCEPT;
/// Ends a stream after what was pushed.
void http_end_stream(http_server, http_connection) HTTP_NOEXCEPT;

http_counts http_count(http_server) HTTP_NOEXCEPT;

#ifdef __cplusplus
}
#endif
