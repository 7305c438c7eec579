#include "net/content_decoding.hpp"

#include <algorithm>
#include <utility>

namespace understudy::detail {
namespace {

constexpr std::size_t chunk_size = std::size_t{32} * 1024;

NetError too_large() { return {NetFault::body_too_large, Phase::none, "decompressed"}; }

NetError undecodable(ContentCoding coding, std::string_view what, std::string_view to_do) {
  std::string text = "its ";
  text.append(to_string(coding)).append(what).append("; ").append(to_do);
  text += ", or send it without `content-encoding`";
  return {NetFault::undecodable, Phase::none, std::move(text)};
}

NetError undecodable(ContentCoding coding, Damage damage) {
  switch (damage) {
    case Damage::window:
      return undecodable(coding, " window is larger than 8 MiB (RFC 9659)",
                         "compress it at level 19 or lower, without `--long`");
    case Damage::trailing:
      return undecodable(coding, " data is followed by other bytes", "send nothing behind it");
    case Damage::none:
    case Damage::broken: break;
  }
  return undecodable(coding, " data is damaged, or is not such data", "send it again");
}

}  // namespace

ContentDecoding::ContentDecoding(const std::vector<ContentCoding>& codings, std::uint64_t most)
    : most_(most) {
  for (const auto coding : codings) {
    stages_.push_back({coding, make_decompressor(coding), std::vector<char>(chunk_size)});
  }
}

std::optional<NetError> ContentDecoding::pass(std::size_t at, std::string_view bytes) {
  if (at == stages_.size()) {
    return add(bytes);
  }
  auto& stage = stages_[at];
  while (true) {
    const auto step = stage.decompressor->step(bytes, stage.chunk);
    const bool stuck = step.consumed == 0 && step.produced == 0 && !bytes.empty();
    if (step.damage != Damage::none || stuck) {
      return undecodable(stage.coding, step.damage);
    }
    bytes.remove_prefix(step.consumed);
    stage.produced += step.produced;
    if (stage.produced > most_) {
      return too_large();
    }
    if (step.produced > 0) {
      if (auto wrong = pass(at + 1, {stage.chunk.data(), step.produced})) {
        return wrong;
      }
    }
    if (bytes.empty() && step.produced < stage.chunk.size()) {
      return std::nullopt;
    }
  }
}

std::optional<NetError> ContentDecoding::add(std::string_view bytes) {
  const auto size = body_.size() + bytes.size();
  if (size > most_) {
    return too_large();
  }
  if (size > body_.capacity()) {
    // Into a new one: a string that grows takes twice its capacity, whatever was reserved.
    std::string larger;
    larger.reserve(std::min<std::uint64_t>(std::max(size, 2 * body_.capacity()), most_));
    larger += body_;
    body_ = std::move(larger);
  }
  body_ += bytes;
  return std::nullopt;
}

std::optional<NetError> ContentDecoding::end() const {
  for (const auto& stage : stages_) {
    if (!stage.decompressor->complete()) {
      return undecodable(stage.coding, " data ends too soon", "send all of it");
    }
  }
  return std::nullopt;
}

}  // namespace understudy::detail
