// Sends libFuzzer's bytes to a server over a socket, and stops the process where a request comes out of them that should have been refused.
#include "connections.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <strings.h>

namespace {

std::string_view view(http_bytes bytes) { return {static_cast<const char *>(bytes.data), bytes.size}; }

void require(bool holds) {
  if (!holds)
    std::abort();
}

void check(const http_request &request) {
  int hosts = 0, lengths = 0, codings = 0;
  for (size_t i = 0; i < request.field_count; ++i) {
    const auto name = view(request.fields[i].name), value = view(request.fields[i].value);
    require(!name.empty() && name.find_first_of(" \t\r\n:") == std::string_view::npos);
    require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
    hosts += name.size() == 4 && strncasecmp(name.data(), "host", 4) == 0;
    lengths += name.size() == 14 && strncasecmp(name.data(), "content-length", 14) == 0;
    codings += name.size() == 17 && strncasecmp(name.data(), "transfer-encoding", 17) == 0;
  }
  require(hosts == 1 || (hosts == 0 && request.version == 10));
  require(lengths + codings <= 1);
  require(codings == 0 || request.version == 11);
  require(view(request.target).find_first_of(" \r\n\t#") == std::string_view::npos);
  require(request.body.size <= 1000);
  require(request.body.size == 0 || lengths + codings == 1);
}

void received(void *, const http_request *request) {
  check(*request);
  http_respond(request->server, request->connection, 200, {}, {});
}
void gone(void *, http_connection) {}
void refused(void *, int status, http_bytes, uint32_t) { require(status >= 400 && status < 600); }

uint16_t start() {
  static const char address[] = "127.0.0.1";
  static const http_bytes addresses[] = {{address, sizeof address - 1}};
  http_settings settings{};
  settings.addresses = addresses;
  settings.address_count = 1;
  settings.threads = 1;
  settings.max_connections = settings.max_per_address = 1000;
  settings.header_limit = 32768;
  settings.body_limit = 1000;
  settings.stream_limit = 1000;
  settings.request_time = settings.idle_time = settings.write_time = 10000;
  settings.linger_time = 100;
  settings.linger_limit = 1 << 20;
  uint16_t port = 0;
  int number = 0;
  char reason[100];
  require(http_start(settings, {nullptr, received, gone, refused, gone}, &port, &number, reason, sizeof reason).ref != 0);
  return port;
}

int connected(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // On a busy machine the server's ends of connections that are over may still have all descriptors or ports: they are given back in a
  // moment.
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    const linger at_once{1, 0}; // a reset, so that no port waits
    if (client >= 0 && setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0 &&
        connect(client, reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0)
      return client;
    if (client >= 0)
      close(client);
    usleep(10000);
  }
  std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint16_t port = start();
  const int client = connected(port);
  // In two writes, so that pieces end anywhere.
  const size_t half = size == 0 ? 0 : data[0] % (size + 1);
  for (auto [from, count] : {std::pair(size_t(0), half), std::pair(half, size - half)})
    if (count > 0 && send(client, data + from, count, MSG_NOSIGNAL) < 0)
      break;
  shutdown(client, SHUT_WR);
  char answer[4096];
  while (recv(client, answer, sizeof answer, 0) > 0)
    ;
  close(client);
  return 0;
}
