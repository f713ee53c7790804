#include "loop.hpp"
#include "session.hpp"

#include <algorithm>
#include <ctime>

namespace connections {

Settings::Settings(const http_settings &given)
    : trusted(given.trusted, given.trusted + given.trusted_count), body_limit(given.body_limit), linger_limit(given.linger_limit),
      max_connections(given.max_connections), max_per_address(given.max_per_address), header_limit(given.header_limit),
      stream_limit(given.stream_limit), request_time(given.request_time), idle_time(given.idle_time), write_time(given.write_time),
      linger_time(given.linger_time) {
  for (size_t i = 0; i < given.address_count; ++i)
    addresses.emplace_back(view(given.addresses[i]));
  for (size_t i = 0; i < given.body_limit_count; ++i)
    body_limits.emplace_back(view(given.body_limits[i].suffix), given.body_limits[i].bytes);
  std::sort(body_limits.begin(), body_limits.end(), [](auto &a, auto &b) { return a.first.size() > b.first.size(); });
  const auto shortest = std::min({request_time, idle_time, write_time, linger_time});
  sweep_time = std::clamp(shortest / 4, Milliseconds(10), Milliseconds(1000));
}

uint64_t Settings::body_limit_of(std::string_view target) const {
  const auto path = target.substr(0, target.find('?'));
  for (auto &[suffix, limit] : body_limits)
    if (path.size() >= suffix.size() && path.substr(path.size() - suffix.size()) == suffix)
      return limit;
  return body_limit;
}

Admission::Address Admission::key(const asio::ip::address &address) {
  const auto v6 = address.is_v4() ? asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()) : address.to_v6();
  return v6.to_bytes();
}

Admission::Address Admission::counted(const Address &address) {
  static constexpr Address mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(mapped.begin(), mapped.begin() + 12, address.begin()))
    return address;
  Address network = address;
  std::fill(network.begin() + 8, network.end(), uint8_t(0));
  return network;
}

bool Admission::is_trusted(const Address &address) const {
  return std::any_of(settings.trusted.begin(), settings.trusted.end(), [&](const http_network &network) {
    for (uint32_t bit = 0; bit < network.prefix && bit < 128; ++bit)
      if (((network.address[bit / 8] ^ address[bit / 8]) >> (7 - bit % 8)) & 1)
        return false;
    return true;
  });
}

bool Admission::enter(const Address &address, Refusal &refusal) {
  static constexpr uint32_t refused_at_once = 128; // how many more may be told why
  const bool trusted = is_trusted(address);
  const std::lock_guard lock(mutex);
  if (total >= settings.max_connections + refused_at_once)
    return false;
  if (total >= settings.max_connections) {
    refusal = {503, "All connections of this server are taken; try again shortly."};
  } else if (!trusted) {
    auto found = per_address.find(counted(address));
    if (found != per_address.end() && found->second >= settings.max_per_address) {
      if (found->second >= settings.max_per_address + refused_at_once)
        return false;
      refusal = {503, "Too many connections from this address; use fewer, they carry many requests each."};
    }
  }
  ++total;
  if (!trusted)
    ++per_address[counted(address)];
  return true;
}

void Admission::leave(const Address &address) {
  const bool trusted = is_trusted(address);
  const std::lock_guard lock(mutex);
  --total;
  if (trusted)
    return;
  auto found = per_address.find(counted(address));
  if (found != per_address.end() && --found->second == 0)
    per_address.erase(found);
}

Loop::Loop(Common &common, uint64_t number, uint64_t step) : common(common), next(number), step(step) { sweep(); }

Loop::~Loop() = default;

void Loop::run() {
  for (;;) {
    try {
      io.run();
      return;
    } catch (const std::exception &) {
      // Out of memory within one connection's handler: that connection meets its deadline, the others go on.
    }
  }
}

void Loop::adopt(Socket socket, const asio::ip::address &peer, const Admission::Address &address, Refusal refusal) {
  const auto id = next;
  next += step;
  auto session = std::make_shared<Session>(*this, id, std::move(socket), peer, address);
  sessions.emplace(id, session);
  ++common.counts.connections;
  if (refusal)
    return session->refuse(refusal);
  if (stopping)
    return session->close();
  session->next_request();
}

void Loop::closed(http_connection id, const Admission::Address &address) {
  if (sessions.erase(id) == 0)
    return;
  --common.counts.connections;
  common.admission.leave(address);
}

std::shared_ptr<Session> Loop::find(http_connection id) const {
  auto found = sessions.find(id);
  return found == sessions.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Session>> Loop::all() const {
  std::vector<std::shared_ptr<Session>> list;
  list.reserve(sessions.size());
  for (auto &entry : sessions)
    list.push_back(entry.second);
  return list;
}

void Loop::sweep() {
  const auto now = Clock::now();
  for (auto &session : all()) {
    if (stopping && now >= stop_deadline)
      session->leave();
    else
      session->sweep(now);
  }
  if (stopping && sessions.empty())
    return io.stop();
  if (on_sweep)
    on_sweep();
  tick.expires_after(stopping ? Milliseconds(10) : common.settings.sweep_time);
  tick.async_wait([this](error_code) { sweep(); });
}

void Loop::stop(Milliseconds deadline) {
  if (stopping)
    return;
  stopping = true;
  stop_deadline = Clock::now() + deadline;
  for (auto &session : all())
    session->stopping();
  tick.cancel(); // sweeps now
}

const std::string &Loop::date() {
  const auto now = std::time(nullptr);
  if (now != date_second) {
    static constexpr const char *days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char *months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm t{};
    gmtime_r(&now, &t);
    char line[64];
    const int size = std::snprintf(line, sizeof line, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[t.tm_wday % 7], t.tm_mday,
                                   months[t.tm_mon % 12], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
    date_line.assign(line, static_cast<size_t>(std::max(size, 0)));
    date_second = now;
  }
  return date_line;
}

} // namespace connections
