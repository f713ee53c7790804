// The event stream of a connection.
#include "session.hpp"

#include <boost/asio/write.hpp>

#include <algorithm>
#include <utility>

namespace connections {

namespace {
constexpr size_t gathered = 16; // buffers in one write
} // namespace

void Session::open_stream(int status, std::string_view fields) {
  if (state != State::waiting)
    return;
  if (loop.stopping || version != 11 || head_request) {
    loop.common.callbacks.gone(loop.common.callbacks.context, id);
    if (head_request) {
      start_message(status, fields);
      head.append("\r\n");
      return send();
    }
    return refuse({loop.stopping ? 503 : 505, loop.stopping ? "The server is stopping; connect again." : "Event streams need HTTP/1.1."});
  }
  start_message(status, fields);
  head.append("Transfer-Encoding: chunked\r\n\r\n");
  state = State::streaming;
  ++loop.common.counts.streams;
  deadline = Clock::time_point::max();
  // A stream needs no input buffer; a read under way is called back first.
  if (receiving) {
    error_code ignored;
    socket.cancel(ignored);
  } else {
    buffer = {};
    watch();
  }
  push(std::make_shared<const std::string>(std::move(head)));
  head = {};
}

void Session::push(const Event &event) {
  if (state != State::streaming || ending)
    return;
  queued_bytes += event->size();
  if (queued_bytes > loop.common.settings.stream_limit) {
    ++loop.common.counts.cut;
    return leave();
  }
  queue.push_back(event);
  if (queue.size() == 1)
    write_queue();
}

void Session::flush() {
  if (state == State::streaming && !queue.empty()) {
    flush_wanted = true;
    return;
  }
  loop.common.callbacks.flushed(loop.common.callbacks.context, id);
}

void Session::end_stream() {
  static const Event last = std::make_shared<const std::string>("0\r\n\r\n");
  push(last);
  ending = true;
}

void Session::write_queue() {
  std::array<asio::const_buffer, gathered> buffers;
  const size_t count = std::min(gathered, queue.size());
  for (size_t i = 0; i < count; ++i)
    buffers[i] = asio::buffer(*queue[i]);
  deadline = Clock::now() + loop.common.settings.write_time;
  asio::async_write(socket, buffers, [self = shared_from_this(), count](error_code error, size_t written) {
    if (self->state != State::streaming)
      return;
    if (error) {
      ++self->loop.common.counts.left;
      return self->leave();
    }
    self->queued_bytes -= written;
    self->queue.erase(self->queue.begin(), self->queue.begin() + static_cast<std::ptrdiff_t>(count));
    self->deadline = Clock::time_point::max();
    if (!self->queue.empty())
      return self->write_queue();
    if (std::exchange(self->flush_wanted, false))
      self->loop.common.callbacks.flushed(self->loop.common.callbacks.context, self->id);
    if (!self->ending)
      return;
    --self->loop.common.counts.streams;
    self->finish();
  });
}

// A stream's client has nothing more to say: end of file, error or bytes, it is over.
void Session::watch() {
  socket.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code) {
    if (self->state != State::streaming || self->ending)
      return;
    ++self->loop.common.counts.left;
    self->leave();
  });
}

} // namespace connections
