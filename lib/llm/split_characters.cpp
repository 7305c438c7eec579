#include "understudy/llm/detail/split_characters.hpp"

#include <algorithm>

#include "text/utf16_halves.hpp"
#include "text/utf8.hpp"

namespace understudy::llm::detail {
namespace {

/// Blocks that wait at the same time; parallel calls are fewer.
constexpr std::size_t most_waiting = 16;

struct PieceOfText {
  std::size_t block = 0;
  std::string_view* text = nullptr;
};

PieceOfText piece_of(Event::Body& body) {
  if (auto* const text = std::get_if<Text>(&body)) {
    return {text->block, &text->text};
  }
  if (auto* const reasoning = std::get_if<Reasoning>(&body)) {
    return {reasoning->block, &reasoning->text};
  }
  if (auto* const arguments = std::get_if<ToolArguments>(&body)) {
    return {arguments->block, &arguments->json};
  }
  return {};
}

const std::size_t arguments_kind = Event::Body(ToolArguments(0, {})).index();
const std::size_t reasoning_kind = Event::Body(Reasoning(0, {})).index();

/// Whether a block that waits gets nothing more once `next` has come.
bool ends_block(const Event::Body& next, std::size_t block, std::size_t kind) {
  if (std::holds_alternative<Finish>(next) || std::holds_alternative<End>(next)) {
    return true;
  }
  if (const auto* const end = std::get_if<ToolEnd>(&next)) {
    return end->block == block;
  }
  if (kind == arguments_kind) {
    return false;  // the arguments of parallel calls may be interleaved
  }
  const auto* const text = std::get_if<Text>(&next);
  const auto* const reasoning = std::get_if<Reasoning>(&next);
  return std::holds_alternative<ToolStart>(next) || (text != nullptr && text->block != block) ||
         (reasoning != nullptr && reasoning->block != block);
}

char* put_character(char* out, std::uint32_t high, std::uint32_t low) {
  const auto code = 0x10000U + ((high - 0xD800U) << 10U) + (low - 0xDC00U);
  *out++ = static_cast<char>(0xF0U | (code >> 18U));
  *out++ = static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
  *out++ = static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
  *out++ = static_cast<char>(0x80U | (code & 0x3FU));
  return out;
}

}  // namespace

void SplitCharacters::join(std::vector<Event>& events, std::size_t first, text::Arena& arena) {
  for (auto i = first; i < events.size(); ++i) {
    if (!waiting_.empty()) {
      i += give_up(events, i);
    }
    const auto [block, text] = piece_of(events[i].body);
    if (text == nullptr || text->empty()) {
      continue;
    }
    complete(block, *text, arena);
    if (text::high_half_at_end(*text)) {
      hold(events[i].body, block, *text, arena);
    }
  }
}

/// Replaces the halves before `events[at]` that it leaves alone. Returns how many events were inserted.
std::size_t SplitCharacters::give_up(std::vector<Event>& events, std::size_t at) {
  const auto next = events[at].body;
  if (std::holds_alternative<Start>(next) || std::holds_alternative<Error>(next)) {
    waiting_.clear();
  }
  std::size_t inserted = 0;
  std::erase_if(waiting_, [&](const Waiting& w) {
    if (!ends_block(next, w.block, w.kind)) {
      return false;
    }
    const auto lost = text::utf8_replacement;
    const Event::Body body = w.kind == arguments_kind ? Event::Body(ToolArguments(w.block, lost))
                             : w.kind == reasoning_kind
                                 ? Event::Body(Reasoning(w.block, lost))
                                 : Event::Body(Text(w.block, lost, w.refusal));
    events.emplace(events.begin() + static_cast<std::ptrdiff_t>(at + inserted), body);
    ++inserted;
    return true;
  });
  return inserted;
}

/// Joins what waits with the begin of `text`.
void SplitCharacters::complete(std::size_t block, std::string_view& text, text::Arena& arena) {
  const auto low = text::low_half_at_begin(text);
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const Waiting& w) { return w.block == block; });
  if (found == waiting_.end() && !low) {
    return;
  }
  char* const begin = arena.take(text::utf8_replacement.size() + text.size() + 1);
  char* end = begin;
  if (found != waiting_.end() && low) {
    end = put_character(end, found->half, *low);
  } else {
    end = std::copy(text::utf8_replacement.begin(), text::utf8_replacement.end(), end);
  }
  text.remove_prefix(low ? text::half_size : 0);
  end = std::copy(text.begin(), text.end(), end);
  text = {begin, static_cast<std::size_t>(end - begin)};
  if (found != waiting_.end()) {
    waiting_.erase(found);
  }
}

/// Keeps the half at the end of `text`, the text of `body`, for the next piece.
void SplitCharacters::hold(Event::Body& body, std::size_t block, std::string_view& text,
                           text::Arena& arena) {
  const auto half = text::high_half_at_end(text);
  text.remove_suffix(text::half_size);
  if (!half || waiting_.size() == most_waiting) {
    char* const begin = arena.take(text.size() + text::utf8_replacement.size());
    char* const end = std::copy(text.begin(), text.end(), begin);
    std::copy(text::utf8_replacement.begin(), text::utf8_replacement.end(), end);
    text = {begin, text.size() + text::utf8_replacement.size()};
    return;
  }
  const auto* const said = std::get_if<Text>(&body);
  waiting_.push_back({block, body.index(), said != nullptr && said->refusal, *half});
  if (text.empty()) {
    body = Other("half_character", false);
  }
}

}  // namespace understudy::llm::detail
