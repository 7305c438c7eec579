#include "understudy/testing/fault_script.hpp"

#include <array>
#include <stdexcept>

namespace understudy::testing {
namespace {

/// "{}".
constexpr std::array<unsigned char, 22> empty_object_gzipped{
    0x1f, 0x8b, 0x08, 0,    0,    0,    0,    0,    0x02, 0x03, 0xab,
    0xae, 0x05, 0,    0x43, 0xbf, 0xa6, 0xa3, 0x02, 0,    0,    0};

}  // namespace

Fault Fault::silence(Clock::duration heartbeats) {
  Fault fault(Kind::pause);
  fault.heartbeats = heartbeats;
  return fault;
}

Fault Fault::pause(Clock::duration length, Clock::duration heartbeats) {
  auto fault = silence(heartbeats);
  fault.length = length;
  return fault;
}

Fault Fault::error(std::string type, std::string message, std::string code) {
  Fault fault(Kind::error);
  fault.type = std::move(type);
  fault.text = std::move(message);
  fault.code = std::move(code);
  return fault;
}

Fault Fault::bytes(std::string text) {
  Fault fault(Kind::bytes);
  fault.text = std::move(text);
  return fault;
}

Reply Reply::answer(std::string text) {
  Reply reply(Kind::answer);
  reply.say(std::move(text));
  return reply;
}

Reply Reply::status(unsigned status, std::string message, std::string type, std::string code) {
  Reply reply(Kind::status);
  reply.code = status;
  reply.body = std::move(message);
  reply.error_type = std::move(type);
  reply.error_code = std::move(code);
  return reply;
}

Reply Reply::page(unsigned status, std::string_view content_type, std::string body) {
  Reply reply(Kind::page);
  reply.code = status;
  reply.headers.add("content-type", content_type);
  reply.body = std::move(body);
  return reply;
}

Reply Reply::stream(std::string_view content_type, std::vector<std::string> parts) {
  auto reply = page(200, content_type, {});
  reply.parts = std::move(parts);
  return reply;
}

Reply Reply::html() {
  return page(200, "text/html", "<!doctype html><title>Welcome</title><p>Please log in.\n");
}

Reply Reply::redirect(std::string_view location) {
  return page(307, "text/plain", "").with_header("location", location);
}

Reply Reply::gzipped() {
  return page(200, "application/json",
              std::string(empty_object_gzipped.begin(), empty_object_gzipped.end()))
      .with_header("content-encoding", "gzip");
}

Reply Reply::oversized_header() {
  return answer().with_header("x-padding", std::string(std::size_t{64} * 1024, 'x'));
}

Reply& Reply::think(std::string text) {
  said.emplace_back(Said::Kind::thought, std::move(text));
  return *this;
}

Reply& Reply::say(std::string text) {
  if (!text.empty()) {
    said.emplace_back(Said::Kind::text, std::move(text));
  }
  return *this;
}

Reply& Reply::call(std::string id, std::string name, std::string arguments) {
  said.emplace_back(Said::Kind::call, std::move(arguments), std::move(id), std::move(name));
  return *this;
}

Reply& Reply::before_head(Fault fault) {
  const bool fits = (fault.kind == Fault::Kind::pause && fault.heartbeats == Clock::duration()) ||
                    fault.kind == Fault::Kind::reset || fault.kind == Fault::Kind::close;
  if (!fits) {
    throw std::invalid_argument("this fault needs a head before it");
  }
  head_fault = std::move(fault);
  return *this;
}

Reply& Reply::after(std::size_t events, Fault fault) {
  event_faults.insert_or_assign(events, std::move(fault));
  return *this;
}

Reply& Reply::after_finish(Fault fault) {
  finish_fault = std::move(fault);
  return *this;
}

Reply& Reply::reset_at(std::size_t bytes) {
  byte_fault.emplace(bytes, Fault::reset());
  return *this;
}

Reply& Reply::close_at(std::size_t bytes) {
  byte_fault.emplace(bytes, Fault::close());
  return *this;
}

}  // namespace understudy::testing
