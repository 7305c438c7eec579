#include "fold.hpp"

#include "encoder.hpp"
#include "text/numbers.hpp"
#include "understudy/text/json_writer.hpp"
#include "words.hpp"

namespace understudy::llm::detail::openai_chat {
namespace {

/// As many choices as the reader notes (OpenBlocks::most).
constexpr std::size_t most_choices = OpenBlocks::most;

/// Top-level members that only a chunk has: OpenAI's padding, and llama.cpp's progress of the prompt. An error fails the
/// answer, or comes after its end.
bool only_in_streams(std::string_view name) {
  return name == "obfuscation" || name == "prompt_progress" || name == "error";
}

std::size_t index_of(std::string_view choice) {
  return text::number_from<std::size_t>(json::member_of(choice, "index")).value_or(0);
}

/// The word for why a choice ended. The reader speaks only for the first choice (`typed`).
void correct_finish(json::Tree& choice, bool calls, bool function_call, const Answer* typed) {
  json::Tree* const finish = choice.member("finish_reason");
  const auto word = json::unescaped_text(finish->text());
  const auto reason = finish_of(word).value_or(FinishReason::other);
  if (calls && reason == FinishReason::stop) {  // protocols.md 9.3
    finish->set(function_call ? R"("function_call")" : R"("tool_calls")");
  } else if (typed != nullptr && typed->finish && reason == FinishReason::other) {
    finish->set(json::quoted(finish_word(*typed->finish, word)));
  }
}

}  // namespace

const char* Fold::add(std::string_view, std::string_view json) {
  const char* why = nullptr;
  json::each_member(json, [&](std::string_view name, std::string_view value) {
    if (only_in_streams(name)) {
      return true;
    }
    json::Tree* const member = top_.member(name);
    if (member == nullptr) {
      why = too_many_parts;
    } else if (name == "choices") {
      json::each_element(value, [&](std::string_view choice) {
        why = add_choice(choice, false);
        return why == nullptr;
      });
    } else if (name == "object") {
      member->set(R"("chat.completion")");
    } else if (name == "usage" && !json::is_null(value)) {
      member->set(value);
    } else {
      member->merge(value);
    }
    return why == nullptr;
  });
  return why;
}

const char* Fold::add_whole(std::string_view json) {
  whole_ = true;
  top_.set(json);
  const char* why = nullptr;
  json::each_element(json::member_of(json, "choices"), [&](std::string_view choice) {
    why = add_choice(choice, true);
    return why == nullptr;
  });
  return why;
}

const char* Fold::add_choice(std::string_view choice, bool whole) {
  const auto found = choices_.find(index_of(choice));
  if (found == choices_.end() && choices_.size() == most_choices) {
    return too_many_parts;
  }
  any_ = true;
  auto& folded = found != choices_.end() ? found->second
                                         : choices_[whole ? choices_.size() : index_of(choice)];
  if (whole) {
    folded.tree.set(choice);
    folded.message.set(json::member_of(choice, "message"));
    return nullptr;
  }
  const bool delta = json::is_object(json::member_of(choice, "delta"));
  const char* why = nullptr;
  json::each_member(choice, [&](std::string_view name, std::string_view value) {
    // Some servers end with the message as a whole, or repeat it in every chunk.
    const bool repeated = name == "message" && (delta || folded.message.said());
    why = repeated ? nullptr : add_to(folded, name, value);
    return why == nullptr;
  });
  return why;
}

const char* Fold::add_to(Choice& choice, std::string_view name, std::string_view value) {
  const bool says = name == "delta" || name == "message";
  json::Tree* const member = choice.tree.member(says ? "message" : name);
  if (member == nullptr) {
    return too_many_parts;
  }
  if (says) {
    return choice.message.add_delta(value);
  }
  if (name == "token_ids") {  // vLLM: those of the delta
    member->append(value);
    return nullptr;
  }
  if (name != "logprobs" || !json::is_object(value)) {
    member->merge(value);
    return nullptr;
  }
  const bool added = json::each_member(value, [&](std::string_view key, std::string_view tokens) {
    json::Tree* const list = member->member(key);
    if (list != nullptr) {
      json::is_array(tokens) ? list->append(tokens) : list->merge(tokens);
    }
    return list != nullptr;
  });
  return added ? nullptr : too_many_parts;
}

std::size_t Fold::length() const {
  auto sum = top_.length();
  for (const auto& [index, choice] : choices_) {
    sum += choice.tree.length() + choice.message.length();
  }
  return sum;
}

bool Fold::finish(const Answer& typed, std::string& out) {
  if (!any_) {
    return false;
  }
  json::Tree choices("[]");
  for (auto& [index, choice] : choices_) {
    const auto* const read = index == 0 ? &typed : nullptr;
    whole_ ? choice.message.correct(read) : choice.message.complete(read);
    const bool function_call = choice.message.has_function_call();
    correct_finish(choice.tree, choice.message.has_calls() || function_call, function_call, read);
    *choice.tree.member("message") = std::move(choice.message.tree());
    choices.add(std::move(choice.tree));
  }
  choices_.clear();
  *top_.member("choices") = std::move(choices);
  json::Tree* const usage = top_.find("usage");
  if ((usage == nullptr || usage->null()) && typed.usage != Usage()) {
    std::string counted;
    JsonWriter json(counted);
    json.begin_object();
    write_usage(json, typed.usage);
    json.end_object();
    *top_.member("usage") = json::Tree(json::member_of(counted, "usage"));
  }
  out.reserve(out.size() + top_.length());
  top_.write(out);
  return true;
}

}  // namespace understudy::llm::detail::openai_chat
