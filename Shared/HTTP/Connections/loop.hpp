// One thread and its connections. Nothing in a loop is shared, save the counts and who is let in.
#pragma once
#include "connections.h"
#include "rules.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace connections {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Clock = std::chrono::steady_clock;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;
using Milliseconds = std::chrono::milliseconds;

inline std::string_view view(http_bytes bytes) { return {static_cast<const char *>(bytes.data), bytes.size}; }
template <class Text> http_bytes bytes(const Text &text) { return {text.data(), text.size()}; }

/// http_settings, owned.
struct Settings {
  explicit Settings(const http_settings &);
  std::vector<std::string> addresses;
  std::vector<http_network> trusted;
  std::vector<std::pair<std::string, uint64_t>> body_limits; // longest suffix first
  uint64_t body_limit, linger_limit;
  uint32_t max_connections, max_per_address, header_limit, stream_limit;
  Milliseconds request_time, idle_time, write_time, linger_time, sweep_time;

  uint64_t body_limit_of(std::string_view target) const;
};

struct Counts {
  std::atomic<uint64_t> connections{0}, streams{0}, accepted{0}, requests{0}, cut{0}, timeouts{0}, left{0};
};

/// Counts connections, in all and per address (IPv6: per /64, since that is what one customer gets).
class Admission {
public:
  using Address = std::array<uint8_t, 16>;
  explicit Admission(const Settings &settings) : settings(settings) {}
  static Address key(const asio::ip::address &);
  /// False: close without a word. The refusal is to be sent where there is one. Who got true leaves later.
  bool enter(const Address &, Refusal &);
  void leave(const Address &);

private:
  bool is_trusted(const Address &) const;
  static Address counted(const Address &);
  const Settings &settings;
  std::mutex mutex;
  std::map<Address, uint32_t> per_address;
  uint32_t total = 0;
};

/// What all loops of a server use.
struct Common {
  explicit Common(const http_settings &given, const http_callbacks &callbacks) : settings(given), callbacks(callbacks) {}
  const Settings settings;
  const http_callbacks callbacks;
  http_server server{};
  Counts counts;
  Admission admission{settings};

  void refused(const Refusal &refusal, Milliseconds after) const {
    callbacks.refused(callbacks.context, refusal.status, bytes(refusal.detail), static_cast<uint32_t>(after.count()));
  }
};

class Session;

class Loop {
public:
  Loop(Common &, uint64_t number, uint64_t step);
  ~Loop();
  void run();
  /// Takes a connection that was accepted; refuses it where there is a reason.
  void adopt(Socket, const asio::ip::address &, const Admission::Address &, Refusal);
  void stop(Milliseconds deadline);
  void closed(http_connection, const Admission::Address &);
  std::shared_ptr<Session> find(http_connection) const;
  /// The line "Date: ...\r\n" (RFC 9110, section 6.6.1).
  const std::string &date();

  asio::io_context io{1};
  Common &common;
  bool stopping = false;
  /// Where connections read to and write their heads, one at a time.
  std::array<char, 65536> input;
  std::string head;
  /// Called with each sweep: the listener tries again when descriptors had run out.
  std::function<void()> on_sweep;

private:
  void sweep();
  std::vector<std::shared_ptr<Session>> all() const;

  Timer tick{io.get_executor()};
  Clock::time_point stop_deadline;
  std::unordered_map<http_connection, std::shared_ptr<Session>> sessions;
  http_connection next;
  const uint64_t step;
  std::string date_line;
  std::time_t date_second = 0;
};

} // namespace connections
