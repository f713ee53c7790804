#include "session.hpp"

#include <boost/asio/write.hpp>

#include <poll.h>
#include <sys/socket.h>

namespace connections {

namespace http = boost::beast::http;

namespace {
constexpr size_t read_size = 4096, body_read_size = 32768;
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
  scan = {};
  head_complete = head_accepted = false;
  parser.reset();
  chunked_fields = {};
  empty_lines = chunk_overhead = 0;
  if (input_ended && buffer.size() == 0)
    return close();
  if (buffer.size() > 0) {
    begin_reading();
    return parse();
  }
  if (loop.stopping)
    return finish();
  state = State::idle;
  deadline = Clock::now() + loop.common.settings.idle_time;
  receive();
}

void Session::begin_reading() {
  state = State::reading;
  began = Clock::now();
  deadline = began + loop.common.settings.request_time; // for the whole request: later bytes do not renew it
}

void Session::receive() {
  if (receiving)
    return;
  receiving = true;
  const size_t size = head_accepted || state == State::lingering ? body_read_size : read_size;
  socket.async_read_some(buffer.prepare(size), [self = shared_from_this()](error_code error, size_t count) {
    self->receiving = false;
    self->received(error, count);
  });
}

void Session::received(error_code error, size_t count) {
  switch (state) {
  case State::idle:
  case State::reading:
    if (error)
      return close();
    buffer.commit(count);
    if (state == State::idle)
      begin_reading();
    return parse();
  case State::waiting:
    if (error) {
      ++loop.common.counts.left;
      return leave();
    }
    return buffer.commit(count); // the next request, early; no more is read until this one is answered
  case State::writing:
    if (error)
      input_ended = true;
    return buffer.commit(count);
  case State::streaming:
    buffer = {};
    if (error == asio::error::operation_aborted)
      return watch();
    ++loop.common.counts.left;
    return leave();
  case State::lingering:
    lingered += count;
    if ((error && error != asio::error::operation_aborted) || lingered > loop.common.settings.linger_limit)
      return close();
    buffer.clear();
    return receive();
  case State::closed:
    return;
  }
}

bool Session::head_arrived() {
  while (scan.in_request_line() && buffer.size() >= 2) { // empty lines before a request line are passed over (RFC 9112, section 2.2)
    const auto *data = static_cast<const char *>(buffer.data().data());
    if (data[0] != '\r' || data[1] != '\n')
      break;
    buffer.consume(2);
    scan = {};
    if (++empty_lines > most_empty_lines)
      return refuse({400, "Too many empty lines stand before the request line."}), false;
  }
  const std::string_view text(static_cast<const char *>(buffer.data().data()), buffer.size());
  const auto limit = loop.common.settings.header_limit;
  switch (scan.look(text.substr(0, limit))) {
  case HeadScan::Result::complete:
    return head_complete = true;
  case HeadScan::Result::refused:
    refuse(scan.refusal());
    return false;
  case HeadScan::Result::incomplete:
    break;
  }
  if (text.size() < limit)
    receive();
  else if (scan.in_request_line())
    refuse({414, "The request line is longer than this server takes."});
  else
    refuse({431, "The header fields are longer than this server takes."});
  return false;
}

void Session::parse() {
  if (!head_complete && !head_arrived())
    return;
  if (!parser) {
    parser.emplace();
    parser->header_limit(loop.common.settings.header_limit + 1);
    parser->body_limit(boost::none); // known once the target is
  }
  while (!parser->is_done()) {
    error_code error;
    const std::string_view text(static_cast<const char *>(buffer.data().data()), buffer.size());
    const auto content = parser->get().body().size();
    const auto consumed = parser->put(buffer.data(), error);
    if (head_accepted && parser->chunked()) {
      const auto now = parser->get().body().size();
      chunk_overhead += consumed - (now - content);
      if (chunk_overhead > chunk_overhead_limit + overhead_per_byte * now)
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
      return receive();
    }
    if (parser->is_header_done() && !accept_head())
      return;
    if (!parser->is_done() && buffer.size() == 0)
      return receive();
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
  if (head_accepted)
    return malformed_chunk;
  return {400, "The request line or a header field is malformed (RFC 9112)."};
}

bool Session::accept_head() {
  if (head_accepted)
    return true;
  head_accepted = true;
  parser->eager(true); // not before: what comes after the head must be told from it
  const auto &message = parser->get();
  version = static_cast<int>(message.version());
  head_request = message.method() == http::verb::head;
  if (auto refusal = objection(message))
    return refuse(refusal), false;
  keep_alive = parser->keep_alive();

  const auto limit = loop.common.settings.body_limit_of({message.target().data(), message.target().size()});
  const auto length = parser->content_length();
  if (length && *length > limit)
    return refuse({413, "The body is larger than this resource takes; send it in smaller parts."}), false;
  if (parser->chunked()) {
    parser->body_limit(limit);
    parser->on_chunk_header(check_chunk);
    // Beast files trailers among the fields, beside those of the same name: only what is there now was in the head. Its nodes do not move.
    for (const auto &field : message)
      chunked_fields.push_back({bytes(field.name_string()), bytes(field.value())});
  }
  if (version == 11 && !parser->is_done() && buffer.size() == 0 && message.find(http::field::expect) != message.end()) {
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    // Never waits: where there is no room, the client does without (RFC 9110, section 10.1.1).
    [[maybe_unused]] const auto sent = ::send(socket.native_handle(), go_on.data(), go_on.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  return true;
}

void Session::hand_over() {
  const auto &message = parser->get();
  thread_local std::vector<http_field> fields;
  fields.clear();
  if (parser->chunked())
    fields.swap(chunked_fields);
  else
    for (const auto &field : message)
      fields.push_back({bytes(field.name_string()), bytes(field.value())});
  state = State::waiting;
  deadline = Clock::time_point::max();
  ++loop.common.counts.requests;
  const http_request request{
      loop.common.server,    id,     bytes(message.method_string()), bytes(message.target()), bytes(peer), fields.data(), fields.size(),
      bytes(message.body()), version};
  loop.common.callbacks.request(loop.common.callbacks.context, &request);
  parser.reset();
  if (buffer.size() == 0)
    receive(); // notices who leaves
}

// MARK: Answers

void Session::start_message(int status, std::string_view fields) {
  head.assign("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason_phrase(status)).append("\r\n");
  head.append(loop.date()).append(fields);
  if (!keep_alive)
    head.append("Connection: close\r\n");
  else if (version == 10)
    head.append("Connection: keep-alive\r\n");
}

void Session::respond(int status, std::string_view fields, std::string content) {
  if (state != State::waiting)
    return;
  keep_alive = keep_alive && !loop.stopping;
  start_message(status, fields);
  if (status >= 200 && status != 204 && status != 304)
    head.append("Content-Length: ").append(std::to_string(content.size())).append("\r\n");
  head.append("\r\n");
  if (head_request || status == 204 || status == 304)
    content.clear();
  body = std::move(content);
  send();
}

void Session::refuse(const Refusal &refusal) {
  if (refusal.status >= 400 && refusal.status < 600)
    ++loop.common.counts.refused[static_cast<size_t>(refusal.status - 400)];
  const auto since = state == State::idle ? Clock::duration{} : Clock::now() - began;
  loop.common.callbacks.refused(loop.common.callbacks.context, refusal.status,
                                static_cast<uint32_t>(std::chrono::duration_cast<Milliseconds>(since).count()));
  keep_alive = false;
  body = problem(refusal);
  start_message(refusal.status, "Content-Type: application/problem+json\r\n");
  if (refusal.status == 503)
    head.append("Retry-After: 1\r\n");
  head.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  if (head_request && head_accepted)
    body.clear();
  send();
}

void Session::send() {
  const auto &settings = loop.common.settings;
  state = State::writing;
  const auto end = Clock::now() + settings.write_time + Milliseconds(1000 * body.size() / slowest_reader);
  const std::array<asio::const_buffer, 2> buffers = {asio::buffer(head), asio::buffer(body)};
  // Called before each part of it: who takes nothing at all is not given the time that a long answer may need.
  const auto next_part = [self = this, end](error_code error, size_t) -> size_t {
    self->deadline = std::min(end, Clock::now() + self->loop.common.settings.write_time);
    return error ? 0 : most_written;
  };
  asio::async_write(socket, buffers, next_part, [self = shared_from_this()](error_code error, size_t) {
    if (self->state != State::writing)
      return;
    if (error)
      return self->close();
    self->body = {};
    if (self->keep_alive)
      return self->next_request();
    self->finish();
  });
}

// Half-closes and reads what the client still sends: closing with unread input would send a reset that can overtake the answer.
void Session::finish() {
  error_code ignored;
  if (input_ended)
    return close();
  state = State::lingering;
  deadline = Clock::now() + loop.common.settings.linger_time;
  socket.shutdown(tcp::socket::shutdown_send, ignored);
  parser.reset();
  head = {};
  body = {};
  lingered = 0;
  if (receiving)
    return;
  buffer.clear();
  receive();
}

// MARK: Ends

void Session::sweep(Clock::time_point now) {
  auto &counts = loop.common.counts;
  // With early input in the buffer no read is under way that would notice.
  if (state == State::waiting && !receiving && hung_up()) {
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
