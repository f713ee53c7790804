// The event stream of a connection.
#include "session.hpp"

#include <boost/asio/write.hpp>

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
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
      loop.head.append("\r\n");
      return send({});
    }
    return refuse({loop.stopping ? 503 : 505, loop.stopping ? "The server is stopping; connect again." : "Event streams need HTTP/1.1."});
  }
  start_message(status, fields);
  loop.head.append("Transfer-Encoding: chunked\r\n\r\n");
  state = State::streaming;
  ++loop.common.counts.streams;
  deadline = Clock::time_point::max();
  buffer = {};
  watch();
  push(std::make_shared<const std::string>(loop.head));
}

void Session::push(const Event &event) {
  if (state != State::streaming || ending)
    return;
  size_t sent = 0;
  if (queue.empty()) { // a client that keeps up takes it at once
    const auto count = ::send(socket.native_handle(), event->data(), event->size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
      ++loop.common.counts.left;
      return leave();
    }
    sent = static_cast<size_t>(std::max<ssize_t>(count, 0));
    if (sent == event->size())
      return;
    taken = sent;
  }
  queued_bytes += event->size() - sent;
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
  if (state != State::streaming || ending)
    return;
  push(last);
  if (state != State::streaming)
    return; // it was gone
  ending = true;
  if (queue.empty())
    stream_ended();
}

void Session::stream_ended() {
  --loop.common.counts.streams;
  finish();
}

void Session::write_queue() {
  std::array<asio::const_buffer, gathered> buffers;
  const size_t count = std::min(gathered, queue.size());
  for (size_t i = 0; i < count; ++i)
    buffers[i] = asio::buffer(*queue[i]);
  buffers[0] += taken;
  deadline = Clock::now() + loop.common.settings.write_time;
  asio::async_write(socket, buffers, [self = shared_from_this(), count](error_code error, size_t written) {
    if (self->state != State::streaming)
      return;
    if (error) {
      ++self->loop.common.counts.left;
      return self->leave();
    }
    self->taken = 0;
    self->queued_bytes -= written;
    self->queue.erase(self->queue.begin(), self->queue.begin() + static_cast<std::ptrdiff_t>(count));
    self->deadline = Clock::time_point::max();
    if (!self->queue.empty())
      return self->write_queue();
    self->queue.shrink_to_fit();
    if (std::exchange(self->flush_wanted, false))
      self->loop.common.callbacks.flushed(self->loop.common.callbacks.context, self->id);
    if (self->ending)
      self->stream_ended();
  });
}

} // namespace connections
