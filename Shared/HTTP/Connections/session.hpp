// One connection: at most one wait for input and one write at a time, one state, one deadline.
// It holds memory for a request only while that arrives, and for an answer only while the client does not take it.
#pragma once
#include "loop.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>

namespace connections {

class Session : public std::enable_shared_from_this<Session> {
public:
  using Event = std::shared_ptr<const std::string>;

  Session(Loop &, http_connection, Socket, const asio::ip::address &peer, const Admission::Address &);

  void next_request();
  void respond(int status, std::string_view fields, std::string_view body);
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
  enum class State : uint8_t { idle, reading, waiting, writing, streaming, lingering, closed };
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  /// A request while it arrives.
  struct Arrival {
    HeadScan scan;
    bool head_complete = false, head_accepted = false;
    Parser parser;
    size_t empty_lines = 0;                 // before the request line
    size_t chunk_overhead = 0;              // bytes of a chunked body that are not content
    std::vector<http_field> chunked_fields; // of the head of a chunked request, without the trailers to come
  };

  void watch();
  void readable(error_code);
  void read();
  void discard();
  void begin_reading();
  void parse();
  bool head_arrived();
  bool accept_head();
  Refusal parser_objection(error_code, std::string_view text) const;
  void hand_over();
  void start_message(int status, std::string_view fields);
  void send(std::string_view body);
  void sent();
  void finish();
  void write_queue();
  void stream_ended();
  bool hung_up();
  bool is_body_left_out(int status) const { return head_request || status == 204 || status == 304; }

  Loop &loop;
  const http_connection id;
  Socket socket;
  const std::string peer;
  const Admission::Address address;

  State state = State::idle;
  bool watching = false; // for input
  bool keep_alive = true, head_request = false, ending = false, flush_wanted = false;
  uint8_t version = 11;
  Clock::time_point deadline, began;

  boost::beast::flat_buffer buffer; // what has been read and not parsed
  std::unique_ptr<Arrival> arrival;
  std::string unsent;       // of the answer under way, what the client has not taken at once
  std::vector<Event> queue; // of the stream, what its client has not taken at once
  size_t queued_bytes = 0;
  size_t taken = 0; // bytes of the first of them
  uint64_t lingered = 0;
};

} // namespace connections
