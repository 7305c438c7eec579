#include "understudy/net/sse.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "text/numbers.hpp"

namespace understudy {
namespace {

constexpr std::size_t none = std::string_view::npos;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "understudy.sse"; }
  std::string message(int value) const override {
    switch (static_cast<SseError>(value)) {
      case SseError::block_too_long: return "an event of the stream is too long";
    }
    return "unknown error of an event stream";
  }
};

std::size_t find(const char* begin, std::size_t from, std::size_t to, char wanted) {
  const void* found = from == to ? nullptr : std::memchr(begin + from, wanted, to - from);
  return found == nullptr ? none : static_cast<const char*>(found) - begin;
}

/// JSON without a field name: an object, or a list of objects. (`[DONE]` is neither.)
bool is_bare_json(std::string_view line) {
  constexpr std::string_view blanks = " \t";
  const auto begin = line.find_first_not_of(blanks);
  if (begin == none || (line[begin] != '{' && line[begin] != '[')) {
    return false;
  }
  const auto inside = line.find_first_not_of(blanks, begin + 1);
  return line[begin] == '{' || inside == none || line[inside] == '{';
}

void shrink(std::string& buffer) {
  buffer.clear();
  if (buffer.capacity() > text::Arena::resting_size) {
    std::string().swap(buffer);
  }
}

}  // namespace

const boost::system::error_category& sse_category() noexcept {
  static const Category category;
  return category;
}

void SseParser::feed(std::string_view piece, std::size_t readable_beyond) {
  assert(scan_ == piece_.size() || error_);
  piece_ = piece;
  readable_beyond_ = readable_beyond;
  begin_ = 0;
  scan_ = 0;
  line_feed_ = find(piece.data(), 0, piece.size(), '\n');
  carriage_return_ = find(piece.data(), 0, piece.size(), '\r');
  copies_.reset();
  shrink(done_);
}

void SseParser::end() { ending_ = true; }

const SseBlock* SseParser::next() {
  if (holding_) {
    holding_ = false;
    line(carrying_ ? carry_.data() : piece_.data() + begin_, 0, held_line_);
  }
  if (ending_ && carrying_) {
    const auto begin = std::exchange(line_, carry_.size());
    if (begin < carry_.size()) {
      if (const auto* const before = line(carry_.data(), begin, carry_.size())) {
        return before;
      }
    }
    const bool lost = data_lines_ == 0 || source_ == SseSource::data;
    const auto* const last = lost ? nullptr : dispatch(carry_.size());
    carrying_ = false;
    return last;
  }
  while (!error_ && scan_ < piece_.size()) {
    if (after_cr_) {
      after_cr_ = false;
      if (piece_[scan_] == '\n') {
        if (carrying_) {
          carry_ += '\n';
        }
        ++line_;
        ++scan_;
        continue;
      }
    }
    const auto end = line_end();
    if (end == none) {
      break;
    }
    auto after = end + 1;
    if (piece_[end] == '\r') {
      if (after == piece_.size()) {
        after_cr_ = true;
      } else if (piece_[after] == '\n') {
        ++after;
      }
    }
    if (carrying_) {
      carry_.append(piece_, scan_, after - scan_);
    }
    scan_ = after;
    const char* const block = carrying_ ? carry_.data() : piece_.data() + begin_;
    const auto size = carrying_ ? carry_.size() : scan_ - begin_;
    const auto stop = size - (after - end);
    if (stop + 1 > longest_block_) {  // without the LF of a CR LF, which may still be to come
      error_ = SseError::block_too_long;
      break;
    }
    if (!begun_) {
      begun_ = true;
      line_ +=
          std::string_view(block, stop).starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
    }
    const auto begin = line_;
    line_ = size;
    if (begin == stop) {
      return dispatch(size);
    }
    if (const auto* const before = line(block, begin, stop)) {
      return before;
    }
  }
  carry_rest();
  return nullptr;
}

/// Where in the piece the line under way ends, at its CR or LF; none if it does not.
std::size_t SseParser::line_end() {
  if (piece_[scan_] == '\n') {
    return scan_;
  }
  if (line_feed_ < scan_) {
    line_feed_ = find(piece_.data(), scan_, piece_.size(), '\n');
  }
  if (carriage_return_ < scan_) {
    carriage_return_ = find(piece_.data(), scan_, piece_.size(), '\r');
  }
  return std::min(line_feed_, carriage_return_);
}

/// Reads a line of the block. Returns the block, without that line, if the line begins another one.
const SseBlock* SseParser::line(const char* block, std::size_t begin, std::size_t end) {
  const std::string_view line(block + begin, end - begin);
  // Nearly every line that matters begins so; where its colon is need not be looked for.
  const bool data = line.starts_with("data:");
  const auto colon = data ? begin + 4 : std::min(find(block, begin, end, ':'), end);
  const auto name = line.substr(0, colon - begin);
  auto at = std::min(colon + 1, end);
  at += at < end && block[at] == ' ' ? 1 : 0;
  const std::string_view value(block + at, end - at);
  const bool goes_on = data_lines_ > 0 && source_ == SseSource::bare_json;
  const bool known = data || name.empty() || name == "data" || name == "error" || name == "event" ||
                     name == "id" || name == "retry";
  if (data || name == "data") {
    return add_data(SseSource::data, value, at, {begin, line.size()});
  }
  if (name == "error") {
    return add_data(SseSource::error_field, value, at, {begin, line.size()});
  }
  if (!known && (goes_on || is_bare_json(line))) {
    return add_data(SseSource::bare_json, line, begin, {begin, line.size()});
  }
  if (name == "event" && data_lines_ > 0 && source_ != SseSource::data) {
    return dispatch_before({begin, line.size()});
  }
  field(name, value, at);
  return nullptr;
}

const SseBlock* SseParser::add_data(SseSource source, std::string_view value, std::size_t at,
                                    Span line) {
  if (data_lines_ > 0 && source != source_) {
    return dispatch_before(line);
  }
  source_ = source;
  if (data_lines_ == 0) {
    data_ = {at, value.size()};
  } else {
    if (data_lines_ == 1) {
      joined_.assign(value.data() - at + data_.at, data_.size);
    }
    joined_.append(1, '\n').append(value);
  }
  ++data_lines_;
  return nullptr;
}

void SseParser::field(std::string_view name, std::string_view value, std::size_t at) {
  if (name == "event") {
    name_ = {at, value.size()};
  } else if (name == "id") {
    if (value.find('\0') == none) {
      id_ = value;
    }
  } else if (name == "retry") {
    if (const auto milliseconds = text::number_from<std::uint64_t>(value)) {
      retry_ = milliseconds;
    }
  }
}

/// The block up to `line`, which is read by the next call of `next`.
const SseBlock* SseParser::dispatch_before(Span line) {
  holding_ = true;
  held_line_ = line.size;
  return dispatch(line.at);
}

/// The block of the first `size` bytes of what was read of it.
const SseBlock* SseParser::dispatch(std::size_t size) {
  std::size_t readable = sse_padding;
  const auto beyond = line_ - size;  // of the line that begins the next block
  if (carrying_ && (beyond > 0 || ending_)) {
    // `done_` may hold an earlier block of this piece.
    char* const copy = copies_.take(size + sse_padding);
    std::memcpy(copy, carry_.data(), size);
    carry_.erase(0, size);
    block_.raw = {copy, size};
  } else if (carrying_) {
    done_.swap(carry_);
    done_.reserve(done_.size() + sse_padding);
    carry_.clear();
    carrying_ = false;
    block_.raw = done_;
  } else {
    block_.raw = piece_.substr(begin_, size);
    readable = readable_beyond_ + piece_.size() - (begin_ + data_.at + data_.size);
  }
  const char* const block = block_.raw.data();
  block_.heartbeat = data_lines_ == 0;
  block_.source = source_;
  block_.name = {block + name_.at, name_.size};
  block_.data =
      data_lines_ > 1 ? std::string_view(joined_) : std::string_view(block + data_.at, data_.size);
  block_.data_at = data_lines_ == 1 ? data_.at : none;
  if (data_lines_ > 1 || (data_lines_ == 1 && readable < sse_padding)) {
    char* const copy = copies_.take(block_.data.size() + sse_padding);
    // As in the stream itself a line's end follows: what simdjson says of malformed JSON depends on it.
    *std::copy(block_.data.begin(), block_.data.end(), copy) = '\n';
    block_.data = {copy, block_.data.size()};
  }
  if (data_lines_ > 1) {
    shrink(joined_);
  }
  begin_ = scan_ - (carrying_ ? 0 : beyond);
  line_ = beyond;
  source_ = SseSource::data;
  name_ = {};
  data_ = {};
  data_lines_ = 0;
  return &block_;
}

/// The piece will be gone: what it holds of an unfinished block is kept.
void SseParser::carry_rest() {
  if (!error_) {
    const auto from = carrying_ ? scan_ : begin_;
    if (carry_.size() + piece_.size() - from > longest_block_) {
      error_ = SseError::block_too_long;
    } else if (from < piece_.size()) {
      carry_.append(piece_, from);
      carrying_ = true;
    }
  }
  if (error_) {
    shrink(carry_);
    carrying_ = false;
  }
  begin_ = scan_ = piece_.size();
}

}  // namespace understudy
