#include "session.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>

namespace connections {

namespace http = boost::beast::http;

namespace {
constexpr size_t chunk_overhead_limit = 8192; // one chunk-size line with its extensions, or all trailers
constexpr size_t overhead_per_byte = 8;       // beyond that in all: chunks of one byte take 5
constexpr size_t most_empty_lines = 8;
constexpr size_t most_written = 65536;     // in one part
constexpr uint64_t slowest_reader = 16384; // bytes a second that a client must take of a long answer
const Refusal malformed_chunk{400, "The chunked body is malformed (RFC 9112, section 7.1)."};

// Beast takes any byte in a quoted string of an extension. Not const, since it keeps a reference to what is not.
auto check_chunk = [](uint64_t, boost::beast::string_view extensions, error_code &error) {
  if (!are_extensions_clean({extensions.data(), extensions.size()}))
    error = http::error::bad_chunk_extension;
};
} // namespace

Session::Session(Loop &loop, http_connection id, Socket socket, const asio::ip::address &peer, const Admission::Address &address)
    : loop(loop), id(id), socket(std::move(socket)), peer(peer.to_string()), address(address) {}

// MARK: Requests

void Session::next_request() {
  if (buffer.size() > 0) {
    begin_reading();
    // From the loop: requests sent at once would else be answered one within the other, and all before anybody else's.
    return asio::post(loop.io, [self = shared_from_this()] {
      if (self->state == State::reading)
        self->parse();
    });
  }
  if (loop.stopping)
    return finish();
  state = State::idle;
  deadline = Clock::now() + loop.common.settings.idle_time;
  watch();
}

void Session::begin_reading() {
  state = State::reading;
  arrival = std::make_unique<Arrival>();
  arrival->parser.header_limit(loop.common.settings.header_limit + 1);
  arrival->parser.body_limit(boost::none); // known once the target is
  began = Clock::now();
  deadline = began + loop.common.settings.request_time; // for the whole request: later bytes do not renew it
}

// Until there is something to read, or the client has left. Ten thousand who say nothing hold no memory for what they might.
void Session::watch() {
  if (watching)
    return;
  watching = true;
  socket.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code error) {
    self->watching = false;
    self->readable(error);
  });
}

void Session::readable(error_code error) {
  switch (state) {
  case State::idle:
  case State::reading:
    return error ? close() : read();
  case State::waiting:
    if (!error && !hung_up())
      return; // the next request, early: it is read when this one is answered, and until then each sweep looks who left
    ++loop.common.counts.left;
    return leave();
  case State::streaming: // its client has nothing more to say: end of file, error or bytes, it is over
    if (ending)
      return;
    ++loop.common.counts.left;
    return leave();
  case State::lingering:
    return error ? close() : discard();
  case State::writing:
  case State::closed:
    return;
  }
}

void Session::read() {
  const auto count = ::recv(socket.native_handle(), loop.input.data(), loop.input.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR))
    return watch();
  if (count <= 0)
    return close();
  const auto size = static_cast<size_t>(count);
  std::memcpy(buffer.prepare(size).data(), loop.input.data(), size);
  buffer.commit(size);
  if (state == State::idle)
    begin_reading();
  parse();
}

bool Session::head_arrived() {
  auto &scan = arrival->scan;
  while (scan.in_request_line() && buffer.size() >= 2) { // empty lines before a request line are passed over (RFC 9112, section 2.2)
    const auto *data = static_cast<const char *>(buffer.data().data());
    if (data[0] != '\r' || data[1] != '\n')
      break;
    buffer.consume(2);
    scan = {};
    if (++arrival->empty_lines > most_empty_lines)
      return refuse({400, "Too many empty lines stand before the request line."}), false;
  }
  const std::string_view text(static_cast<const char *>(buffer.data().data()), buffer.size());
  const auto limit = loop.common.settings.header_limit;
  switch (scan.look(text.substr(0, limit))) {
  case HeadScan::Result::complete:
    return arrival->head_complete = true;
  case HeadScan::Result::refused:
    refuse(scan.refusal());
    return false;
  case HeadScan::Result::incomplete:
    break;
  }
  if (text.size() < limit)
    watch();
  else if (scan.in_request_line())
    refuse({414, "The request line is longer than this server takes."});
  else
    refuse({431, "The header fields are longer than this server takes."});
  return false;
}

void Session::parse() {
  if (!arrival->head_complete && !head_arrived())
    return;
  auto &parser = arrival->parser;
  while (!parser.is_done()) {
    error_code error;
    const std::string_view text(static_cast<const char *>(buffer.data().data()), buffer.size());
    const auto content = parser.get().body().size();
    const auto consumed = parser.put(buffer.data(), error);
    if (arrival->head_accepted && parser.chunked()) {
      const auto now = parser.get().body().size();
      arrival->chunk_overhead += consumed - (now - content);
      if (arrival->chunk_overhead > chunk_overhead_limit + overhead_per_byte * now)
        return refuse({400, "The chunks are mostly chunk-size lines and extensions; send larger ones."});
    }
    if (error && error != http::error::need_more)
      return refuse(parser_objection(error, text));
    buffer.consume(consumed);
    if (error == http::error::need_more) {
      const auto rest = text.substr(consumed);
      if (rest.size() > chunk_overhead_limit)
        return refuse({400, "A chunk-size line or the trailer section is too long."});
      if (is_chunk_line_whole(rest))
        return refuse(malformed_chunk);
      return watch();
    }
    if (parser.is_header_done() && !accept_head())
      return;
    if (!parser.is_done() && buffer.size() == 0)
      return watch();
  }
  hand_over();
}

Refusal Session::parser_objection(error_code error, std::string_view text) const {
  if (error == http::error::body_limit)
    return {413, "The body is larger than this resource takes; send it in smaller parts."};
  if (error == http::error::header_limit)
    return {431, "The header fields are longer than this server takes."};
  if (error == http::error::bad_version && names_version(text))
    return {505, "This server speaks HTTP/1.1 and HTTP/1.0."};
  if (arrival->head_accepted)
    return malformed_chunk;
  return {400, "The request line or a header field is malformed (RFC 9112)."};
}

bool Session::accept_head() {
  if (arrival->head_accepted)
    return true;
  arrival->head_accepted = true;
  auto &parser = arrival->parser;
  parser.eager(true); // not before: what comes after the head must be told from it
  const auto &message = parser.get();
  version = static_cast<uint8_t>(message.version());
  head_request = message.method() == http::verb::head;
  if (auto refusal = objection(message))
    return refuse(refusal), false;
  keep_alive = parser.keep_alive();

  const auto limit = loop.common.settings.body_limit_of({message.target().data(), message.target().size()});
  const auto length = parser.content_length();
  if (length && *length > limit)
    return refuse({413, "The body is larger than this resource takes; send it in smaller parts."}), false;
  if (parser.chunked()) {
    parser.body_limit(limit);
    parser.on_chunk_header(check_chunk);
    // Beast files trailers among the fields, beside those of the same name: only what is there now was in the head. Its nodes do not move.
    for (const auto &field : message)
      arrival->chunked_fields.push_back({bytes(field.name_string()), bytes(field.value())});
  }
  if (version == 11 && !parser.is_done() && buffer.size() == 0 && message.find(http::field::expect) != message.end()) {
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    // Never waits: where there is no room, the client does without (RFC 9110, section 10.1.1).
    [[maybe_unused]] const auto sent = ::send(socket.native_handle(), go_on.data(), go_on.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  return true;
}

void Session::hand_over() {
  // Its own from here on: the answer may come, and the next request begin, before the callback returns.
  const auto arrived = std::move(arrival);
  const auto &message = arrived->parser.get();
  thread_local std::vector<http_field> fields;
  fields.clear();
  if (arrived->parser.chunked())
    fields.swap(arrived->chunked_fields);
  else
    for (const auto &field : message)
      fields.push_back({bytes(field.name_string()), bytes(field.value())});
  if (buffer.size() == 0)
    buffer.shrink_to_fit();
  state = State::waiting;
  deadline = Clock::time_point::max();
  ++loop.common.counts.requests;
  const http_request request{
      loop.common.server,    id,     bytes(message.method_string()), bytes(message.target()), bytes(peer), fields.data(), fields.size(),
      bytes(message.body()), version};
  loop.common.callbacks.request(loop.common.callbacks.context, &request);
  if (state == State::waiting && buffer.size() == 0)
    watch(); // notices who leaves
}

// MARK: Answers

void Session::start_message(int status, std::string_view fields) {
  auto &head = loop.head;
  head.assign("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason_phrase(status)).append("\r\n");
  head.append(loop.date()).append(fields);
  if (!keep_alive)
    head.append("Connection: close\r\n");
  else if (version == 10)
    head.append("Connection: keep-alive\r\n");
}

void Session::respond(int status, std::string_view fields, std::string_view body) {
  if (state != State::waiting)
    return;
  keep_alive = keep_alive && !loop.stopping;
  start_message(status, fields);
  if (status >= 200 && status != 204 && status != 304)
    loop.head.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  loop.head.append("\r\n");
  send(is_body_left_out(status) ? std::string_view() : body);
}

void Session::refuse(const Refusal &refusal) {
  const auto since = state == State::idle ? Clock::duration{} : Clock::now() - began;
  loop.common.refused(refusal, std::chrono::duration_cast<Milliseconds>(since));
  keep_alive = false;
  const auto body = problem(refusal);
  start_message(refusal.status, "Content-Type: application/problem+json\r\n");
  if (refusal.status == 503)
    loop.head.append("Retry-After: 1\r\n");
  loop.head.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  send(head_request && arrival && arrival->head_accepted ? std::string_view() : body);
}

// Sends the loop's head and the body.
void Session::send(std::string_view body) {
  state = State::writing;
  const auto &head = loop.head;
  // Most answers fit into the socket's memory: nothing has to be kept, and nobody waited for.
  iovec parts[] = {{const_cast<char *>(head.data()), head.size()}, {const_cast<char *>(body.data()), body.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  const auto count = ::sendmsg(socket.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN && errno != EINTR)
    return close();
  const auto done = static_cast<size_t>(std::max<ssize_t>(count, 0));
  if (done == head.size() + body.size())
    return sent();
  unsent.assign(head, std::min(done, head.size())).append(body.substr(done - std::min(done, head.size())));
  const auto end = Clock::now() + loop.common.settings.write_time + Milliseconds(1000 * unsent.size() / slowest_reader);
  // Called before each part of it: who takes nothing at all is not given the time that a long answer may need.
  const auto next_part = [self = this, end](error_code error, size_t) -> size_t {
    self->deadline = std::min(end, Clock::now() + self->loop.common.settings.write_time);
    return error ? 0 : most_written;
  };
  asio::async_write(socket, asio::buffer(unsent), next_part, [self = shared_from_this()](error_code error, size_t) {
    if (self->state != State::writing)
      return;
    self->unsent = {};
    error ? self->close() : self->sent();
  });
}

void Session::sent() { keep_alive ? next_request() : finish(); }

// Half-closes and reads what the client still sends: closing with unread input would send a reset that can overtake the answer.
void Session::finish() {
  state = State::lingering;
  deadline = Clock::now() + loop.common.settings.linger_time;
  error_code ignored;
  socket.shutdown(tcp::socket::shutdown_send, ignored);
  arrival.reset();
  buffer = {};
  lingered = 0;
  watch();
}

void Session::discard() {
  const auto count = ::recv(socket.native_handle(), loop.input.data(), loop.input.size(), MSG_DONTWAIT);
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
    return close();
  lingered += static_cast<uint64_t>(std::max<ssize_t>(count, 0));
  if (lingered > loop.common.settings.linger_limit)
    return close();
  watch();
}

// MARK: Ends

void Session::sweep(Clock::time_point now) {
  auto &counts = loop.common.counts;
  // With early input in the buffer no read is under way that would notice.
  if (state == State::waiting && !watching && hung_up()) {
    ++counts.left;
    return leave();
  }
  if (now < deadline)
    return;
  switch (state) {
  case State::reading:
    ++counts.timeouts;
    return refuse({408, "The request did not arrive in time."});
  case State::writing:
    ++counts.timeouts;
    break;
  case State::streaming:
    ++counts.cut;
    break;
  default:
    break;
  }
  leave();
}

void Session::stopping() {
  if (state == State::idle)
    return close();
  if (state != State::streaming)
    return;
  end_stream();
  loop.common.callbacks.gone(loop.common.callbacks.context, id);
}

void Session::leave() {
  if (state == State::waiting || state == State::streaming)
    loop.common.callbacks.gone(loop.common.callbacks.context, id);
  close();
}

void Session::close() {
  if (state == State::closed)
    return;
  if (state == State::streaming)
    --loop.common.counts.streams;
  state = State::closed;
  error_code ignored;
  socket.close(ignored);
  loop.closed(id, address);
}

bool Session::hung_up() {
  pollfd descriptor{socket.native_handle(), POLLRDHUP, 0};
  return ::poll(&descriptor, 1, 0) > 0 && (descriptor.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

} // namespace connections
