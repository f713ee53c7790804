#include "connections.h"
#include "session.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <sys/resource.h>
#include <thread>

namespace connections {
namespace {

/// Accepts on one loop and deals the connections out in turn. One exclusive socket per address, instead of one per
/// loop under SO_REUSEPORT: a second server on the port is an error then, and the loops have equal shares.
class Listener {
public:
  Listener(Loop &home, const std::vector<std::unique_ptr<Loop>> &loops, const tcp::endpoint &endpoint)
      : loops(loops), common(home.common), acceptor(home.io.get_executor()) {
    acceptor.open(endpoint.protocol());
    acceptor.set_option(asio::socket_base::reuse_address(true)); // Linux: past connections in TIME_WAIT, never a second listener
    if (endpoint.address().is_v6())
      acceptor.set_option(asio::ip::v6_only(!endpoint.address().is_unspecified()));
    acceptor.set_option(tcp::no_delay(true)); // accepted sockets inherit it on Linux
    acceptor.bind(endpoint);
    acceptor.listen(4096);
  }

  uint16_t port() const { return acceptor.local_endpoint().port(); }

  void accept() {
    if (accepting || !acceptor.is_open())
      return;
    accepting = true;
    auto &loop = *loops[turn++ % loops.size()];
    acceptor.async_accept(loop.io.get_executor(), [this, &loop](error_code error, Socket socket) {
      accepting = false;
      if (error)
        return; // out of descriptors, or stopped: the next sweep tries again
      deal(loop, std::move(socket));
      accept();
    });
  }

  void close() {
    error_code ignored;
    acceptor.close(ignored);
  }

private:
  void deal(Loop &loop, Socket socket) {
    error_code error;
    auto peer = socket.remote_endpoint(error).address();
    if (error)
      return; // left already
    if (peer.is_v6() && peer.to_v6().is_v4_mapped())
      peer = asio::ip::make_address_v4(asio::ip::v4_mapped, peer.to_v6());
    const auto address = Admission::key(peer);
    Refusal refusal;
    if (!common.admission.enter(address, refusal)) {
      // Whoever runs the server is told, though not the client.
      return common.refused({503, "Far more connections than this server takes."}, Milliseconds(0));
    }
    ++common.counts.accepted;
    asio::post(loop.io, [&loop, socket = std::move(socket), peer, address, refusal]() mutable {
      loop.adopt(std::move(socket), peer, address, refusal);
    });
  }

  const std::vector<std::unique_ptr<Loop>> &loops;
  Common &common;
  Acceptor acceptor;
  size_t turn = 0;
  bool accepting = false;
};

class Server {
public:
  Server(const http_settings &settings, const http_callbacks &callbacks) : common(settings, callbacks) {
    common.server = {reinterpret_cast<uintptr_t>(this)};
    const uint64_t count = std::max(1u, settings.threads);
    for (uint64_t i = 0; i < count; ++i)
      loops.push_back(std::make_unique<Loop>(common, count + i, count));
    port = settings.port;
    for (auto &text : common.settings.addresses) {
      auto listener = std::make_unique<Listener>(*loops[0], loops, tcp::endpoint(asio::ip::make_address(text), port));
      port = listener->port();
      listeners.push_back(std::move(listener));
    }
    for (auto &listener : listeners)
      listener->accept();
    loops[0]->on_sweep = [this] {
      for (auto &listener : listeners)
        listener->accept();
    };
    for (auto &loop : loops)
      threads.emplace_back([&loop = *loop] { loop.run(); });
  }

  void stop(Milliseconds deadline) {
    // A connection accepted last has been posted to its loop before that loop hears of the end.
    asio::post(loops[0]->io, [this, deadline] {
      for (auto &listener : listeners)
        listener->close();
      for (auto &loop : loops)
        asio::post(loop->io, [&loop = *loop, deadline] { loop.stop(deadline); });
    });
  }

  void wait() {
    for (auto &thread : threads)
      if (thread.joinable())
        thread.join();
  }

  Loop &loop(http_connection id) { return *loops[id % loops.size()]; }

  /// Runs the work on the connection's thread, after what was asked for before; `otherwise` where the connection is gone.
  template <class Work, class Otherwise> void on(http_connection id, Work work, Otherwise otherwise) {
    auto &loop = this->loop(id);
    asio::post(loop.io, [&loop, id, work = std::move(work), otherwise]() mutable {
      if (auto session = loop.find(id))
        work(*session);
      else
        otherwise(loop.common.callbacks);
    });
  }

  void push(const http_connection *ids, size_t count, std::string_view event) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", event.size());
    const auto chunk = std::make_shared<const std::string>(std::string(size).append(event).append("\r\n"));
    std::vector<std::vector<http_connection>> parts(loops.size());
    for (size_t i = 0; i < count; ++i)
      parts[ids[i] % loops.size()].push_back(ids[i]);
    for (size_t i = 0; i < loops.size(); ++i) {
      if (parts[i].empty())
        continue;
      asio::post(loops[i]->io, [&loop = *loops[i], part = std::move(parts[i]), chunk] {
        for (auto id : part)
          if (auto session = loop.find(id))
            session->push(chunk);
      });
    }
  }

  Common common;
  uint16_t port = 0;

private:
  std::vector<std::unique_ptr<Loop>> loops;
  std::vector<std::unique_ptr<Listener>> listeners; // freed before the loops they wait on
  std::vector<std::thread> threads;
};

Server &server(http_server s) { return *reinterpret_cast<Server *>(s.ref); }
void nothing(const http_callbacks &) {}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

} // namespace
} // namespace connections

using namespace connections;

http_server http_start(http_settings settings, http_callbacks callbacks, uint16_t *port, int *number, char *reason,
                       size_t reason_size) noexcept {
  try {
    raise_descriptor_limit();
    auto started = std::make_unique<Server>(settings, callbacks);
    *port = started->port;
    return {reinterpret_cast<uintptr_t>(started.release())};
  } catch (const boost::system::system_error &error) {
    *number = error.code().value();
    std::snprintf(reason, reason_size, "%s", error.code().message().c_str());
  } catch (const std::exception &error) {
    *number = 0;
    std::snprintf(reason, reason_size, "%s", error.what());
  }
  return {0};
}

void http_stop(http_server s, uint32_t deadline) noexcept { server(s).stop(Milliseconds(deadline)); }
void http_wait(http_server s) noexcept { server(s).wait(); }
void http_free(http_server s) noexcept { delete &server(s); }

void http_respond(http_server s, http_connection id, int status, http_bytes fields, http_bytes body) noexcept {
  auto &loop = server(s).loop(id);
  if (!loop.io.get_executor().running_in_this_thread())
    return server(s).on(
        id,
        [status, fields = std::string(view(fields)), body = std::string(view(body))](Session &session) {
          session.respond(status, fields, body);
        },
        nothing);
  if (auto session = loop.find(id))
    session->respond(status, view(fields), view(body));
}

void http_open_stream(http_server s, http_connection id, int status, http_bytes fields) noexcept {
  server(s).on(
      id, [status, fields = std::string(view(fields))](Session &session) { session.open_stream(status, fields); },
      [id](const http_callbacks &callbacks) { callbacks.gone(callbacks.context, id); });
}

void http_push(http_server s, const http_connection *ids, size_t count, http_bytes event) noexcept {
  if (event.size > 0)
    server(s).push(ids, count, view(event)); // a chunk of size 0 would end the stream
}

void http_flush(http_server s, http_connection id) noexcept {
  server(s).on(
      id, [](Session &session) { session.flush(); }, [id](const http_callbacks &callbacks) { callbacks.flushed(callbacks.context, id); });
}

void http_end_stream(http_server s, http_connection id) noexcept {
  server(s).on(
      id, [](Session &session) { session.end_stream(); }, nothing);
}

http_counts http_count(http_server s) noexcept {
  const auto &counts = server(s).common.counts;
  return {counts.connections, counts.streams, counts.accepted, counts.requests, counts.cut, counts.timeouts, counts.left};
}
