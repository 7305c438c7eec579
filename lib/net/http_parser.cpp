#include "understudy/net/detail/http_parser.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/none.hpp>
#include <boost/version.hpp>
#include <cstring>
#include <variant>

namespace understudy::detail {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;

std::string_view text(string_view s) noexcept { return {s.data(), s.size()}; }

/// Beast's codes, in our words; its own go into the text.
NetError translated(const error_code& code, Phase phase) {
  if (code.category() == net_category()) {
    return {code, phase};
  }
  if (code == http::error::header_limit || code == http::error::buffer_overflow) {
    return {NetFault::header_too_large, phase};
  }
  if (code == http::error::body_limit) {
    return {NetFault::body_too_large, phase};
  }
  if (code == http::error::partial_message) {
    return {NetFault::truncated, phase};
  }
  if (code == http::error::bad_transfer_encoding) {
    return {NetFault::transfer_encoding, phase};
  }
  return {NetFault::malformed, phase, code.message()};
}

/// Where the parts of the body are put as they are found.
struct Body {
  char* to = nullptr;
  std::size_t size = 0;

  void add(std::string_view part) {
    if (size == 0) {
      to = const_cast<char*>(part.data());  // the first stays where it is
    } else {
      std::memmove(to + size, part.data(), part.size());
    }
    size += part.size();
  }
};

template <bool is_request>
class Parser final : public http::basic_parser<is_request> {
 public:
  explicit Parser(std::uint64_t body_limit) {
    this->eager(false);
    // put_bounded() counts: Beast's own limit is one for each field before Boost 1.87, and one for the head
    // and the trailer together since then.
    this->header_limit(2 * read_buffer_size);
    this->body_limit(body_limit == 0 ? boost::optional<std::uint64_t>()
                                     : boost::optional<std::uint64_t>(body_limit));
  }

  HttpHead head;
  Body body;

  /// put(); header_limit for a head, a chunk header, or a last chunk header with its trailer, that is larger
  /// than a buffer. Beast consumes a head and, since Boost 1.87, a trailer field by field.
  std::size_t put_bounded(std::span<const char> bytes, error_code& code) {
    if (too_few(bytes)) {
      code = http::error::need_more;
    }
    const bool in_head = !this->is_header_done();
    const auto consumed =
        code ? 0 : this->put(boost::asio::const_buffer(bytes.data(), bytes.size()), code);
    if (in_head || last_chunk_) {
      section_size_ += consumed;
    }
    const auto waiting = bytes.size() - consumed;
    if (section_size_ > read_buffer_size ||
        (code == http::error::need_more && section_size_ + waiting >= read_buffer_size)) {
      code = http::error::header_limit;
    }
    if (in_head && this->is_header_done()) {
      section_size_ = 0;
    }
    return consumed;
  }

 private:
  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       error_code&) override {
    head.minor_version = version % 10;
    head.method = text(method);
    head.target = text(target);
  }

  void on_response_impl(int status, string_view, int version, error_code&) override {
    head.minor_version = version % 10;
    head.status = static_cast<unsigned>(status);
  }

  void on_field_impl(http::field, string_view name, string_view value, error_code&) override {
    if (!this->is_header_done()) {  // before Boost 1.90 trailers come here too, and are dropped
      head.headers.add(text(name), text(value));
    }
  }

#if BOOST_VERSION >= 109000  // where it is a pure virtual function; before, it is none to override
  void on_trailer_field_impl(http::field, string_view, string_view, error_code&) override {}
#endif

  void on_header_impl(error_code& code) override {
    const auto coding = head.headers.find("transfer-encoding");
    if (coding && !same_word(*coding, "chunked")) {
      code = NetFault::transfer_encoding;  // "gzip, chunked" would be taken for chunked
    }
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

  std::size_t on_body_impl(string_view part, error_code&) override {
    body.add(text(part));
    return part.size();
  }

  void on_chunk_header_impl(std::uint64_t size, string_view, error_code&) override {
    left_of_chunk_ = size;
    last_chunk_ = size == 0;
  }

  std::size_t on_chunk_body_impl(std::uint64_t left, string_view part, error_code&) override {
    left_of_chunk_ = left - part.size();
    body.add(text(part));
    return part.size();
  }

  void on_finish_impl(error_code&) override {}

  /// Whether put() has to be kept from these bytes. More are to come anyway.
  bool too_few(std::span<const char> bytes) const noexcept {
    if (!this->chunked() || left_of_chunk_ != 0) {
      return false;
    }
    // It would fail an assertion where the last chunk's header comes in pieces ("0\r\n\r" in the second
    // one; Boost 1.81).
    if (bytes.size() < 5 && bytes.front() == '0') {
      return true;
    }
    // It would refuse an unfinished chunk header of 4 to 8 KiB, depending on the cuts (Boost 1.91).
    const std::size_t search_from =
        bytes.front() == '\r' ? 2 : 0;  // behind the end of the chunk before
    return bytes.size() >= 4096 &&
           std::string_view(bytes.data(), bytes.size()).find("\r\n", search_from) ==
               std::string_view::npos;
  }

  static bool same_word(std::string_view value, std::string_view word) {
    return value.find(',') == std::string_view::npos && has_token(value, word);
  }

  std::uint64_t left_of_chunk_ = 0;
  bool last_chunk_ = false;
  std::size_t section_size_ =
      0;  // consumed of the head, or of the last chunk header and the trailer
};

/// Whether a field goes over several lines. A server has to refuse that or to mend it (RFC 9112 5.2): a proxy in
/// front may have read another field there. Beast joins the lines and does not say so.
bool has_folded_field(std::span<const char> head) noexcept {
  const std::string_view text(head.data(), head.size());
  return text.find("\n ") != std::string_view::npos || text.find("\n\t") != std::string_view::npos;
}

/// What a response says of compression. (An error's body is handed out whatever it is: the status counts.)
std::optional<NetError> check_encoding(const HttpHead& head) {
  const auto encoding = head.headers.find("content-encoding");
  if (encoding && head.status / 100 == 2 && !encoding->empty() &&
      !has_token(*encoding, "identity")) {
    return NetError(NetFault::content_encoding, Phase::none, std::string(encoding->substr(0, 64)));
  }
  return std::nullopt;
}

}  // namespace

struct HttpParser::State {
  explicit State(Role r, std::uint64_t body_limit) : role(r) {
    if (role == Role::request) {
      parser.emplace<Parser<true>>(body_limit);
    } else {
      parser.emplace<Parser<false>>(body_limit);
    }
  }

  template <class F>
  decltype(auto) visit(F f) {
    return role == Role::request ? f(std::get<Parser<true>>(parser))
                                 : f(std::get<Parser<false>>(parser));
  }

  /// An error behind a part of the body is said when that part has been taken.
  NetResult<Step> failed(Step step, NetError error) {
    if (step.body.empty()) {
      return error;
    }
    failure.emplace(std::move(error));
    return step;
  }

  Role role;
  std::optional<NetError> failure;
  std::variant<std::monostate, Parser<true>, Parser<false>> parser;
};

HttpParser::HttpParser(Role role, std::uint64_t body_limit)
    : state_(std::make_unique<State>(role, body_limit)) {}
HttpParser::~HttpParser() = default;
HttpParser::HttpParser(HttpParser&&) noexcept = default;
HttpParser& HttpParser::operator=(HttpParser&&) noexcept = default;

NetResult<HttpParser::Step> HttpParser::parse_head(std::span<char> bytes) {
  return state_->visit([&](auto& parser) -> NetResult<Step> {
    error_code code;
    Step step(parser.put_bounded(bytes, code));
    // Beast takes a field as a whole, with all of its lines.
    if (state_->role == Role::request && has_folded_field(bytes.first(step.consumed))) {
      return NetError(NetFault::malformed, Phase::none,
                      "a header field spans several lines; send it on one line");
    }
    if (code == http::error::need_more) {
      return step;
    }
    if (code) {
      return translated(code, Phase::none);
    }
    if (parser.is_header_done()) {
      if (auto refused = check_encoding(parser.head)) {
        return std::move(*refused);
      }
    }
    return step;
  });
}

NetResult<HttpParser::Step> HttpParser::parse_body(std::span<char> bytes) {
  if (state_->failure) {
    return *state_->failure;
  }
  return state_->visit([&](auto& parser) -> NetResult<Step> {
    Step step(0);
    parser.body = Body();
    error_code code;
    while (!parser.is_done() && step.consumed < bytes.size() && !code) {
      step.consumed += parser.put_bounded(bytes.subspan(step.consumed), code);
    }
    step.body = {parser.body.to, parser.body.size};
    if (code == http::error::need_more) {
      return step;
    }
    return code ? state_->failed(step, translated(code, Phase::none)) : NetResult<Step>(step);
  });
}

std::optional<NetError> HttpParser::end() {
  return state_->visit([](auto& parser) -> std::optional<NetError> {
    error_code code;
    if (!parser.got_some()) {
      code = http::error::partial_message;
    } else if (!parser.is_done()) {
      parser.put_eof(code);
    }
    if (code) {
      return translated(code, Phase::none);
    }
    return std::nullopt;
  });
}

bool HttpParser::started() const noexcept {
  return state_->visit([](auto& parser) { return parser.got_some(); });
}

bool HttpParser::head_done() const noexcept {
  return state_->visit([](auto& parser) { return parser.is_header_done(); });
}

bool HttpParser::done() const noexcept {
  return state_->visit([](auto& parser) { return parser.is_done(); });
}

bool HttpParser::keep_alive() const noexcept {
  return state_->visit([](auto& parser) {
    // HTTP/1.0 knows no Transfer-Encoding: what lies behind such a message is anybody's guess (RFC 9112 6.1).
    const bool unframed =
        parser.head.minor_version == 0 && parser.head.headers.find("transfer-encoding");
    return !unframed && parser.keep_alive();
  });
}

HttpHead& HttpParser::head() noexcept {
  return state_->visit([](auto& parser) -> HttpHead& { return parser.head; });
}

}  // namespace understudy::detail
