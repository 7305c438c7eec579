#include "pair_calls.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include "request_json.hpp"
#include "text/name_table.hpp"
#include "tool_ids.hpp"
#include "understudy/llm/protocol_traits.hpp"

namespace understudy::llm::detail {
namespace {

using LossKind = Loss::Kind;

constexpr const char* no_result = "no result: interrupted";

class Pairing {
 public:
  Pairing(Request& request, Losses& losses, const TranslationTarget& target)
      : request_(request),
        losses_(losses),
        rules_(traits_of(target.protocol).rules),
        ids_(target.longest_tool_id, target.plain_tool_ids, hash_) {}

  void pair() {
    reserve_ids();
    auto messages = std::move(request_.messages);
    request_.messages.clear();
    for (std::size_t i = 0; i < messages.size();) {
      std::vector<Pending> pending;
      for (; i < messages.size() && messages[i].role == Role::assistant; ++i) {
        open_calls(messages[i], pending);
        request_.messages.push_back(std::move(messages[i]));
      }
      Unanswered open(pending, hash_);
      auto next = i;
      for (; next < messages.size() && messages[next].role != Role::assistant; ++next) {
        take_results(messages[next], open);
      }
      if (!pending.empty()) {
        const bool there = i < next && messages[i].role == Role::user;
        Message answers = there ? std::move(messages[i++]) : Message(Role::user);
        answers.parts.insert(answers.parts.begin(), pending.size(), Part(ToolResultPart()));
        for (std::size_t k = 0; k < pending.size(); ++k) {
          answers.parts[k] = settled(pending[k]);
        }
        request_.messages.push_back(std::move(answers));
      }
      for (; i < next; ++i) {
        request_.messages.push_back(std::move(messages[i]));
      }
    }
  }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  struct Pending {
    std::string id;  // as the conversation has it
    ToolResultPart result;
    std::string note;
    bool answered = false;
    std::size_t next = none;  // of the same id, in Unanswered's table
  };

  /// The calls that have no result yet. Results mostly come in their order; only else is there a table.
  class Unanswered {
   public:
    Unanswered(std::vector<Pending>& pending, const text::KeyedHash& hash)
        : pending_(pending), hash_(hash) {}

    /// The first call of that id, which is answered now; nullptr: there is none.
    Pending* take(std::string_view id) {
      if (!names_) {
        if (in_order_ < pending_.size() && pending_[in_order_].id == id) {
          return answered(in_order_++);
        }
        fill();
      }
      const auto name = names_->find(id);
      if (name == none || first_[name] == none) {
        return nullptr;
      }
      return answered(std::exchange(first_[name], pending_[first_[name]].next));
    }

   private:
    void fill() {
      names_.emplace(hash_, pending_.size() - in_order_);
      for (auto i = pending_.size(); i-- > in_order_;) {
        const auto [name, fresh] = names_->add(pending_[i].id);
        if (fresh) {
          first_.push_back(i);
        } else {
          pending_[i].next = std::exchange(first_[name], i);
        }
      }
    }
    Pending* answered(std::size_t i) {
      pending_[i].answered = true;
      return &pending_[i];
    }

    std::vector<Pending>& pending_;
    std::size_t in_order_ =
        0;  // those before it are answered, none behind it while there is no table
    const text::KeyedHash& hash_;
    std::optional<text::NameTable<std::string_view>> names_;
    std::vector<std::size_t> first_;  // of each
  };

  void lose(LossKind kind, std::string what) { losses_.add(kind, std::move(what)); }

  void reserve_ids() {
    for (const auto& message : request_.messages) {
      for (const auto& part : message.parts) {
        if (const auto* call = std::get_if<ToolCallPart>(&part)) {
          ids_stay_ = ids_.reserve(call->id) && ids_stay_;
        }
      }
    }
  }

  void open_calls(Message& message, std::vector<Pending>& pending) {
    for (auto& part : message.parts) {
      auto* const call = std::get_if<ToolCallPart>(&part);
      if (call == nullptr) {
        continue;
      }
      auto& opened = pending.emplace_back();
      opened.id = call->id;
      if (!ids_stay_) {
        call->id = ids_.give(call->id);
      }
      opened.result.call_id = call->id;
      opened.result.form = call->form;
      if (call->id != opened.id) {
        lose(LossKind::changed, "tool ids");
      }
      if (rules_.object_arguments && !call->arguments.empty() && !is_json_object(call->arguments)) {
        lose(LossKind::changed, "arguments of " + call->name);
        opened.note = "(The call's arguments were not a JSON object: " + call->arguments + ")\n";
        call->arguments = "{}";
      }
    }
  }

  void take_results(Message& message, Unanswered& open) {
    std::erase_if(message.parts, [&](Part& part) {
      auto* const result = std::get_if<ToolResultPart>(&part);
      if (result == nullptr) {
        return false;
      }
      auto* const call = open.take(result->call_id);
      if (call == nullptr) {
        lose(LossKind::dropped, "tool result without a call");
      } else {
        result->call_id = call->result.call_id;
        result->form = call->result.form;
        call->result = std::move(*result);
      }
      return true;
    });
  }

  ToolResultPart settled(Pending& pending) {
    auto& result = pending.result;
    if (!pending.answered) {
      result.content.emplace_back(TextPart(no_result));
      result.is_error = true;
      lose(LossKind::added, "result of an interrupted tool call");
    }
    if (result.is_error && !rules_.failed_tool_results) {
      pending.note += "Error: ";
      result.is_error = false;
      lose(LossKind::changed, "is_error of a tool result");
    }
    if (!pending.note.empty()) {
      auto* const first =
          result.content.empty() ? nullptr : std::get_if<TextPart>(&result.content.front());
      if (first != nullptr) {
        first->text.insert(0, pending.note);
      } else {
        result.content.emplace(result.content.begin(), TextPart(pending.note));
      }
    }
    return std::move(result);
  }

  Request& request_;
  Losses& losses_;
  const RequestRules& rules_;
  text::KeyedHash hash_;
  ToolIds ids_;
  bool ids_stay_ = true;  // all are valid, and no two the same
};

}  // namespace

void pair_calls(Request& request, Losses& losses, const TranslationTarget& target) {
  Pairing(request, losses, target).pair();
}

}  // namespace understudy::llm::detail
