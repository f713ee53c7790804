// What a server must refuse although Beast 1.81 takes it, and how a refusal reads.
#pragma once
#include "connections.h"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace connections {

using Message = boost::beast::http::request<boost::beast::http::string_body>;

/// A reason to refuse; status 0 is none.
struct Refusal {
  int status = 0;
  std::string_view detail = {};
  explicit operator bool() const { return status != 0; }
};

/// Looks for the end of a request's head as bytes arrive, each byte once, so that a head sent byte by byte costs no more than one sent
/// whole.
class HeadScan {
public:
  enum class Result { incomplete, complete, refused };
  /// `text` is everything received since the head began.
  Result look(std::string_view text);
  Refusal refusal() const { return reason; }
  bool in_request_line() const { return lines == 0; }

private:
  Result refuse(std::string_view detail);
  size_t position = 0, lines = 0, line_start = 0;
  Refusal reason;
};

/// Whether a head's first line ends in a version, of whatever number: the others are no HTTP.
bool names_version(std::string_view head);

/// Whether these bytes hold a whole chunk-size line, or after the last chunk the whole trailer section: a parser that asks for more
/// then waits for the end of a quoted string that its line does not have.
bool is_chunk_line_whole(std::string_view text);

/// Whether a chunk's extensions are free of control characters: an LF in a quoted string ends the line for others (RFC 9112,
/// section 7.1.1).
bool are_extensions_clean(std::string_view extensions);

/// Checks a parsed head: version, method, target, Host, framing, Expect.
Refusal objection(const Message &);

/// The body of a refusal: problem details (RFC 9457).
std::string problem(const Refusal &);
std::string_view reason_phrase(int status);

} // namespace connections
