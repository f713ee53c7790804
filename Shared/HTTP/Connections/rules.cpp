#include "rules.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

namespace connections {

namespace http = boost::beast::http;
using std::string_view;

namespace {

bool is_letter_or_digit(unsigned char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); }
bool is_token(unsigned char c) { return is_letter_or_digit(c) || (c != 0 && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr); }

template <class Text> string_view standard(const Text &text) { return {text.data(), text.size()}; }

template <class Test> bool all(string_view text, Test test) {
  return std::all_of(text.begin(), text.end(), [test](char c) { return test(static_cast<unsigned char>(c)); });
}
bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }

// RFC 9112, section 3.2: a Host that does not look like one is 400. Of RFC 3986, section 3.2.2, only what names and addresses are made of,
// since a host ends up in links; then perhaps a port.
bool is_host(string_view text) {
  string_view name, rest;
  if (!text.empty() && text[0] == '[') {
    const auto end = text.find(']');
    if (end == string_view::npos)
      return false;
    name = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    if (!all(name, [](auto c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') || c == ':' || c == '.'; }))
      return false;
  } else {
    name = text.substr(0, text.find(':'));
    rest = text.substr(name.size());
    if (!all(name, [](auto c) { return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_'; }))
      return false;
  }
  return !name.empty() && (rest.empty() || (rest[0] == ':' && rest.size() <= 6 && all(rest.substr(1), is_digit)));
}

bool is_method_known(http::verb method) {
  switch (method) {
  case http::verb::get:
  case http::verb::head:
  case http::verb::post:
  case http::verb::put:
  case http::verb::patch:
  case http::verb::delete_:
  case http::verb::options:
  case http::verb::trace: // never allowed, and still known: 405 says which are
    return true;
  default:
    return false;
  }
}

// The absolute form, whose host overrules the field (RFC 9112, section 3.2.2) and must be as good as one. A user name there is an error
// (RFC 9110, section 4.2.4).
bool starts_with_origin(string_view target) {
  for (string_view scheme : {string_view("http://"), string_view("https://")})
    if (boost::beast::iequals(target.substr(0, scheme.size()), scheme)) {
      const auto rest = target.substr(scheme.size());
      return is_host(rest.substr(0, rest.find_first_of("/?")));
    }
  return false;
}

Refusal target_objection(http::verb method, string_view target) {
  // RFC 3986 leaves no octet outside of visible ASCII, and a fragment is never sent.
  if (std::any_of(target.begin(), target.end(), [](unsigned char c) { return c <= 0x20 || c >= 0x7f || c == '#'; }))
    return {400, "The request target has a byte that must be percent-encoded."};
  if (target == "*")
    return method == http::verb::options ? Refusal{} : Refusal{400, "The target * is for OPTIONS alone."};
  if (target.empty() || (target[0] != '/' && !starts_with_origin(target)))
    return {400, "The request target must begin with a slash or be an absolute http URI."};
  return {};
}

} // namespace

HeadScan::Result HeadScan::look(string_view text) {
  for (; position < text.size(); ++position) {
    const auto byte = static_cast<unsigned char>(text[position]);
    if (position == line_start) {
      if (byte == ' ' || byte == '\t')
        return refuse("A header line begins with a blank: folded lines are not taken (RFC 9112, section 5.2).");
      if (byte != '\r' && !is_token(byte))
        return refuse("This is not HTTP: a line begins with a byte that no method or field name has.");
    }
    if (byte == 0)
      return refuse("There is a NUL in the head.");
    if (byte == '\r') {
      if (position + 1 == text.size())
        return Result::incomplete;
      if (text[position + 1] != '\n')
        return refuse("There is a CR without LF in the head (RFC 9112, section 2.2).");
      const bool empty = position == line_start;
      ++position;
      line_start = position + 1;
      if (empty)
        return Result::complete;
      ++lines;
    } else if (byte == '\n') {
      return refuse("There is an LF without CR in the head (RFC 9112, section 2.2).");
    }
  }
  return Result::incomplete;
}

bool names_version(string_view head) {
  const auto line = head.substr(0, head.find("\r\n"));
  if (line.size() < 9)
    return false;
  const auto end = line.substr(line.size() - 9);
  return end.substr(0, 6) == " HTTP/" && is_digit(static_cast<unsigned char>(end[6])) && end[7] == '.' &&
         is_digit(static_cast<unsigned char>(end[8]));
}

bool is_chunk_line_whole(string_view text) {
  if (text.substr(0, 2) == "\r\n")
    text.remove_prefix(2); // the end of the chunk before
  if (text.find("\r\n") == string_view::npos)
    return false;
  const auto digit = text.find_first_not_of('0');
  const bool is_last = digit > 0 && !std::isxdigit(static_cast<unsigned char>(text[digit]));
  return !is_last || text.find("\r\n\r\n") != string_view::npos;
}

bool are_extensions_clean(string_view extensions) {
  return all(extensions, [](auto c) { return c == '\t' || (c >= 0x20 && c != 0x7f); });
}

HeadScan::Result HeadScan::refuse(string_view detail) {
  reason = {400, detail};
  return Result::refused;
}

Refusal objection(const Message &message) {
  if (message.version() != 11 && message.version() != 10)
    return {505, "This server speaks HTTP/1.1 and HTTP/1.0."};
  if (!is_method_known(message.method()))
    return {501, "The methods here are GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS."};
  if (auto refusal = target_objection(message.method(), standard(message.target())))
    return refusal;
  int hosts = 0, lengths = 0, codings = 0;
  for (const auto &field : message) {
    const auto value = standard(field.value());
    switch (field.name()) {
    case http::field::host:
      if (!is_host(value))
        return {400, "Host is not a host name with an optional port."};
      ++hosts;
      break;
    case http::field::content_length:
      if (value.find_first_not_of("0123456789") != string_view::npos || value.empty() || (value.size() > 1 && value[0] == '0'))
        return {400, "Content-Length must be one decimal number without leading zeros."};
      ++lengths;
      break;
    case http::field::transfer_encoding:
      if (!boost::beast::iequals(value, "chunked"))
        return {501, "The only transfer coding here is chunked, alone."};
      ++codings;
      break;
    case http::field::expect:
      if (message.version() == 11 && !boost::beast::iequals(value, "100-continue"))
        return {417, "The only expectation met here is 100-continue."};
      break;
    default:
      break;
    }
  }
  if (hosts > 1)
    return {400, "There must be one Host field (RFC 9112, section 3.2)."};
  if (hosts == 0 && message.version() == 11)
    return {400, "The Host field is missing (RFC 9112, section 3.2)."};
  if (lengths > 1)
    return {400, "There are several Content-Length fields (RFC 9112, section 6.3)."};
  if (codings > 1)
    return {400, "There are several Transfer-Encoding fields (RFC 9112, section 6.1)."};
  if (lengths > 0 && codings > 0)
    return {400, "Content-Length beside Transfer-Encoding (RFC 9112, section 6.1)."};
  if (codings > 0 && message.version() == 10)
    return {400, "Transfer-Encoding in HTTP/1.0 (RFC 9112, section 6.1)."};
  return {};
}

string_view reason_phrase(int status) {
  switch (status) { // where RFC 9110 and 9111 renamed what Beast still calls by its old name
  case 413:
    return "Content Too Large";
  case 422:
    return "Unprocessable Content";
  default:
    return standard(http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status))));
  }
}

std::string problem(const Refusal &refusal) {
  std::string text = "{\"type\":\"about:blank\",\"title\":\"";
  text.append(reason_phrase(refusal.status)).append("\",\"status\":").append(std::to_string(refusal.status));
  text.append(",\"detail\":\"").append(refusal.detail).append("\"}"); // no detail here holds anything to escape
  return text;
}

} // namespace connections
