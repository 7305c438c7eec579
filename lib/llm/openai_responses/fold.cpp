#include "fold.hpp"

#include <vector>

#include "text/numbers.hpp"
#include "understudy/llm/codec.hpp"
#include "words.hpp"

namespace understudy::llm::detail::openai_responses {
namespace {

using json::Tree;

/// The output of the typed answer, for an answer of which no item ever came whole.
std::string output_of(const Answer& typed) {
  std::string body;
  codec_for(Protocol::openai_responses).write_answer(typed, Request(), body);
  return std::string(json::member_of(body, "output"));
}

}  // namespace

const char* Fold::add(std::string_view name, std::string_view json) {
  const auto member = json::member_of(json, "type");
  const auto type = json::is_string(member) ? json::inside_of(member) : name;
  if (type == "response.created") {
    items_.clear();
  } else if (type == "response.output_item.done") {
    const auto index = text::number_from<std::size_t>(json::member_of(json, "output_index"));
    const auto item = json::member_of(json, "item");
    if (json::is_object(item)) {
      if (items_.size() == Tree::most_elements) {
        return too_many_parts;
      }
      items_.insert_or_assign(index.value_or(items_.size()), item);
    }
  } else if (terminal_status(type)) {
    const auto response = json::member_of(json, "response");
    if (json::is_object(response) && response_.null()) {
      if (json::member_of(response, "output").size() > std::string_view("[]").size()) {
        items_.clear();
      }
      response_.set(response);
    }
  }
  return nullptr;
}

const char* Fold::add_whole(std::string_view json) {
  response_.set(json);
  return nullptr;
}

std::size_t Fold::length() const {
  auto sum = response_.length();
  for (const auto& [index, item] : items_) {
    sum += item.size();
  }
  return sum;
}

void Fold::complete_output(const Answer& typed) {
  Tree* const output = response_.member("output");
  if (output == nullptr || (output->array() && output->text() != "[]")) {
    return;
  }
  if (items_.empty()) {
    output->set(output_of(typed));
    return;
  }
  output->set("[]");
  for (auto& [index, item] : items_) {
    output->add(item);
    item = std::string();
  }
  items_.clear();
}

/// Arguments that are not an object are the reader's, which recognizes what was sent twice.
void Fold::correct_calls(const Answer& typed) {
  std::vector<const AnswerBlock*> read;
  for (const auto& block : typed.blocks) {
    if (block.kind == AnswerBlock::Kind::tool_call) {
      read.push_back(&block);
    }
  }
  Tree* const output = read.empty() ? nullptr : response_.find("output");
  std::size_t calls = 0;
  for (std::size_t i = 0; output != nullptr && i < output->count() && calls < read.size(); ++i) {
    Tree& item = output->element(i);
    if (json::member_of(item.text(), "type") != R"("function_call")") {
      continue;
    }
    const auto& call = *read[calls++];
    Tree* const arguments = item.member("arguments");
    if (arguments != nullptr &&
        json::compact_object(json::unescaped_text(arguments->text())).empty()) {
      const bool none = call.complete && call.arguments.empty();
      arguments->set(json::quoted(none ? "{}" : call.arguments));
    }
  }
}

bool Fold::finish(const Answer& typed, std::string& out) {
  if (response_.null()) {
    return false;
  }
  complete_output(typed);
  correct_calls(typed);
  out.reserve(out.size() + response_.length());
  response_.write(out);
  return true;
}

}  // namespace understudy::llm::detail::openai_responses
