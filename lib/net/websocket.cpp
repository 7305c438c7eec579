#include "understudy/net/websocket.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <simdjson.h>

#include <algorithm>
#include <array>

namespace understudy {
namespace {

constexpr unsigned continuation = 0;
constexpr std::size_t longest_control = 125;
constexpr std::size_t kept_buffer = std::size_t{64} * 1024;

bool is_control(unsigned opcode) { return opcode >= 8; }
bool is_known(unsigned opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

/// The codes that an endpoint may send (RFC 6455 7.4).
bool is_code(unsigned code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

}  // namespace

void WebSocketDecoder::feed(std::string_view bytes) {
  if (failure_ != 0) {
    return;
  }
  buffer_.erase(0, begin_);
  begin_ = 0;
  buffer_ += bytes;
}

std::optional<WebSocketMessage> WebSocketDecoder::fail(std::uint16_t code) {
  failure_ = code;
  buffer_ = std::string();
  message_ = std::string();
  begin_ = 0;
  return std::nullopt;
}

/// Reads the head of a frame. False: it is not complete, or wrong.
bool WebSocketDecoder::read_header() {
  const auto bytes = std::string_view(buffer_).substr(begin_);
  if (bytes.size() < 2) {
    return false;
  }
  Header header;
  header.last = (byte_at(bytes, 0) & 0x80U) != 0;
  header.opcode = byte_at(bytes, 0) & 0x0FU;
  const bool reserved = (byte_at(bytes, 0) & 0x70U) != 0;
  const bool masked = (byte_at(bytes, 1) & 0x80U) != 0;
  const auto length = byte_at(bytes, 1) & 0x7FU;
  const std::size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
  const bool control = is_control(header.opcode);
  if (reserved || !masked || !is_known(header.opcode) || (control && (!header.last || more != 0)) ||
      (!control && (header.opcode == continuation) != fragmented_.has_value())) {
    fail(websocket_protocol_error);
    return false;
  }
  if (bytes.size() < 2 + more + 4) {
    return false;
  }
  header.size = more == 0 ? length : 0;
  for (std::size_t i = 0; i < more; ++i) {
    header.size = header.size << 8U | byte_at(bytes, 2 + i);
  }
  const bool wasteful = (more == 2 && header.size < 126) || (more == 8 && header.size <= 0xFFFF);
  if (wasteful || header.size >> 63U != 0) {
    fail(websocket_protocol_error);
    return false;
  }
  if (!control && header.size > longest_ - message_.size()) {
    fail(websocket_too_big);
    return false;
  }
  for (std::size_t i = 0; i < 4; ++i) {
    header.mask[i] = static_cast<unsigned char>(byte_at(bytes, 2 + more + i));
  }
  begin_ += 2 + more + 4;
  header_ = header;
  taken_ = 0;
  return true;
}

/// What has come of the frame's payload, without its mask.
std::string WebSocketDecoder::take_payload() {
  const auto size = static_cast<std::size_t>(
      std::min<std::uint64_t>(buffer_.size() - begin_, header_->size - taken_));
  std::string part = buffer_.substr(begin_, size);
  for (std::size_t i = 0; i < size; ++i) {
    part[i] =
        static_cast<char>(static_cast<unsigned char>(part[i]) ^ header_->mask[(taken_ + i) & 3U]);
  }
  begin_ += size;
  taken_ += size;
  return part;
}

std::optional<WebSocketMessage> WebSocketDecoder::next() {
  while (failure_ == 0 && (header_ || read_header())) {
    const bool control_frame = is_control(header_->opcode);
    (control_frame ? payload_ : message_) += take_payload();
    if (taken_ < header_->size) {
      return std::nullopt;
    }
    auto message = control_frame ? control() : data();
    header_.reset();
    if (message) {
      return message;
    }
  }
  return std::nullopt;
}

std::optional<WebSocketMessage> WebSocketDecoder::control() {
  WebSocketMessage message(static_cast<WebSocketKind>(header_->opcode),
                           std::exchange(payload_, std::string()));
  if (message.kind == WebSocketKind::close && !message.data.empty()) {
    if (message.data.size() < 2) {
      return fail(websocket_protocol_error);
    }
    const auto code = byte_at(message.data, 0) << 8U | byte_at(message.data, 1);
    message.code = static_cast<std::uint16_t>(code);
    message.data.erase(0, 2);
    if (!is_code(code) || !is_utf8(message.data)) {
      return fail(websocket_protocol_error);
    }
  }
  return message;
}

/// The message, if this was its last frame.
std::optional<WebSocketMessage> WebSocketDecoder::data() {
  if (header_->opcode != continuation) {
    fragmented_ = static_cast<WebSocketKind>(header_->opcode);
  }
  if (!header_->last) {
    return std::nullopt;
  }
  WebSocketMessage message(*fragmented_, std::exchange(message_, std::string()));
  fragmented_.reset();
  if (message.kind == WebSocketKind::text && !is_utf8(message.data)) {
    return fail(websocket_not_utf8);
  }
  if (buffer_.capacity() > kept_buffer && begin_ == buffer_.size()) {
    buffer_ = std::string();
    begin_ = 0;
  }
  return message;
}

void append_websocket_frame(WebSocketKind kind, std::string_view payload, std::string& out) {
  out += static_cast<char>(0x80U | static_cast<unsigned>(kind));
  const auto size = static_cast<std::uint64_t>(payload.size());
  const unsigned more = size <= 125 ? 0 : size <= 0xFFFF ? 2 : 8;
  out += static_cast<char>(more == 0 ? size : more == 2 ? 126 : 127);
  for (unsigned i = more; i > 0; --i) {
    out += static_cast<char>(size >> (8 * (i - 1)) & 0xFFU);
  }
  out += payload;
}

std::string websocket_close(std::uint16_t code, std::string_view reason) {
  std::string payload;
  payload += static_cast<char>(code >> 8U);
  payload += static_cast<char>(code & 0xFFU);
  payload += reason.substr(0, longest_control - 2);
  std::string out;
  append_websocket_frame(WebSocketKind::close, payload, out);
  return out;
}

std::string websocket_refusal(const HttpHead& head) {
  const auto value = [&](std::string_view name) { return head.headers.find(name).value_or(""); };
  if (!has_token(value("connection"), "upgrade")) {
    return "`connection` does not say `upgrade`";
  }
  if (value("sec-websocket-version") != "13") {
    return "`sec-websocket-version` is not 13";
  }
  const auto key = value("sec-websocket-key");
  if (key.size() != 24 || !key.ends_with("==")) {
    return "`sec-websocket-key` is not 16 bytes in base64";
  }
  return {};
}

std::string websocket_accept(std::string_view key) {
  constexpr std::string_view salt = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const auto text = std::string(key).append(salt);
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 32> encoded{};
  const auto size = EVP_EncodeBlock(encoded.data(), digest.data(), SHA_DIGEST_LENGTH);
  return {encoded.begin(), encoded.begin() + size};
}

}  // namespace understudy
