// One connection: at most one read and one write at a time, one state, one deadline.
#pragma once
#include "loop.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>

#include <optional>

namespace connections {

class Session : public std::enable_shared_from_this<Session> {
public:
  using Event = std::shared_ptr<const std::string>;

  Session(Loop &, http_connection, Socket, const asio::ip::address &peer, const Admission::Address &);

  void next_request();
  void respond(int status, std::string_view fields, std::string body);
  void open_stream(int status, std::string_view fields);
  void push(const Event &);
  void flush();
  void end_stream();
  void refuse(const Refusal &);

  /// From time to time: deadlines, and clients that left while they waited.
  void sweep(Clock::time_point now);
  /// The server stops.
  void stopping();
  /// Closes, and says so to Swift where it still works for this connection.
  void leave();
  void close();

private:
  enum class State { idle, reading, waiting, writing, streaming, lingering, closed };
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  void receive();
  void received(error_code, size_t count);
  void begin_reading();
  void parse();
  bool head_arrived();
  bool accept_head();
  Refusal parser_objection(error_code, std::string_view text) const;
  void hand_over();
  void start_message(int status, std::string_view fields);
  void send();
  void finish();
  void watch();
  void write_queue();
  bool hung_up();

  Loop &loop;
  const http_connection id;
  Socket socket;
  const std::string peer;
  const Admission::Address address;

  State state = State::idle;
  bool receiving = false; // a read is under way; `buffer` is not touched then
  bool input_ended = false, keep_alive = true, head_request = false, ending = false, flush_wanted = false;
  int version = 11;
  Clock::time_point deadline, began;

  boost::beast::flat_buffer buffer;
  HeadScan scan;
  bool head_complete = false, head_accepted = false;
  std::optional<Parser> parser;
  size_t empty_lines = 0;                 // before the request line
  size_t chunk_overhead = 0;              // bytes of a chunked body that are not content
  std::vector<http_field> chunked_fields; // of the head of a chunked request, without the trailers to come

  std::string head, body;   // of the answer under way
  std::vector<Event> queue; // of the stream
  size_t queued_bytes = 0;
  uint64_t lingered = 0;
};

} // namespace connections
