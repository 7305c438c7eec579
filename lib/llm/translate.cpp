#include "understudy/llm/translate.hpp"

#include <algorithm>
#include <array>

#include "default_members.hpp"
#include "documents.hpp"
#include "known_texts.hpp"
#include "pair_calls.hpp"
#include "translate_parameters.hpp"
#include "translate_tools.hpp"
#include "understudy/llm/catalog/catalog.hpp"
#include "understudy/llm/protocol_traits.hpp"

namespace understudy::llm {
namespace {

using LossKind = Loss::Kind;

class Translator {
 public:
  Translator(Request request, const TranslationTarget& target)
      : out_(std::move(request)),
        losses_(out_.losses),
        target_(target),
        rules_(traits_of(target.protocol).rules),
        request_(out_.request),
        foreign_(request_.origin != target.protocol) {}

  Translation run() {
    drop_billing();
    if (foreign_) {
      detail::translate_tools(out_, losses_, target_);
      lift_system();
    }
    name_extras();
    for (auto& message : request_.messages) {
      translate_parts(message);
      if (message.role == Role::system && foreign_ && !rules_.later_system_messages) {
        message.role = Role::user;
        lose(LossKind::changed, "system message after the start of the conversation");
      }
    }
    if (rules_.item_ids && lost_reasoning_) {
      forget_item_ids();
    }
    detail::pair_calls(request_, losses_, target_);
    drop_empty();
    if (foreign_) {
      merge_neighbours();
    }
    mend_ends();
    if (target_.needs_system && request_.system.empty()) {
      request_.system.emplace_back(std::string(detail::plain_system_text));
      lose(LossKind::added, "system text");
    }
    detail::translate_parameters(request_, losses_, target_, foreign_);
    return std::move(out_);
  }

 private:
  void lose(LossKind kind, std::string what) { losses_.add(kind, std::move(what)); }

  void name_extra(const ExtraFields& extra) {
    for (const auto& field : extra) {
      lose(LossKind::dropped, "field " + field.first);
    }
  }

  void drop_billing() {
    if (foreign_) {
      std::erase_if(request_.system, [](const TextPart& part) {
        return part.text.starts_with(detail::billing_text);
      });
    }
  }

  /// Many programs write Anthropic's mark in other protocols too, for gateways such as this one.
  template <class Marked>
  void take_cache_mark(Marked& part) const {
    if (!rules_.cache_marks) {
      return;
    }
    std::erase_if(part.extra, [&](const auto& field) {
      const bool mark = field.first == "cache_control" && field.second.starts_with('{');
      if (mark) {
        part.cache_control = field.second;
      }
      return mark;
    });
  }

  /// System messages that stand at the beginning now: Codex's tools, which are among the items of the input, stood in
  /// front of its prompt.
  void lift_system() {
    auto& messages = request_.messages;
    const auto is_lifted = [](const Message& message) {
      return message.role == Role::system &&
             std::all_of(message.parts.begin(), message.parts.end(),
                         [](const Part& p) { return std::holds_alternative<TextPart>(p); });
    };
    const auto end = std::find_if_not(messages.begin(), messages.end(), is_lifted);
    for (auto message = messages.begin(); message != end; ++message) {
      name_extra(message->extra);
      for (auto& part : message->parts) {
        request_.system.push_back(std::move(std::get<TextPart>(part)));
      }
    }
    messages.erase(messages.begin(), end);
  }

  /// What only the caller's protocol knows; the codec leaves it out.
  void name_extras() {
    if (!foreign_) {
      return;
    }
    for (const auto& [name, json] : request_.extra) {
      // Several answers and log probabilities are what the client gets, not how the provider works.
      const bool parameter = name == "n" || name == "logprobs" || name == "top_logprobs";
      if (!parameter || !detail::is_default_member(name, json)) {
        lose(LossKind::dropped, (parameter ? "" : "field ") + name);
      }
    }
    for (auto& part : request_.system) {
      take_cache_mark(part);
      name_extra(part.extra);
    }
    for (const auto& message : request_.messages) {
      name_extra(message.extra);
    }
    for (auto& tool : request_.tools) {
      take_cache_mark(tool);
      name_extra(tool.extra);
    }
  }

  bool is_makers(const Origin& origin) const {
    if (origin.protocol != target_.protocol) {
      return false;
    }
    if (origin.provider.empty() && origin.model.empty()) {
      return target_.home;  // it was in no carrier
    }
    ReasoningOrigin reader(target_.provider, target_.model);
    reader.maker = target_.maker;
    reader.account = target_.account;
    ReasoningOrigin issuer(origin.provider.empty() ? target_.provider : origin.provider,
                           origin.model.empty() ? target_.model : origin.model);
    issuer.maker = origin.maker;
    issuer.account = origin.account;
    return reads(reader, issuer);
  }

  /// Reasoning without a seal goes back as text: to its own provider, and to models that want reasoning back if nothing
  /// says whose it is.
  bool take_over(Part& part) const {
    auto& reasoning = std::get<ReasoningPart>(part);
    const bool readable =
        reasoning.seal.empty() && reasoning.call_signature.empty() && !reasoning.text.empty();
    const bool issued_here =
        !target_.provider.empty() && reasoning.origin.provider == target_.provider;
    const bool as_thinking = issued_here && target_.protocol == Protocol::anthropic_messages &&
                             target_.maker.empty() && !reasoning.origin.protocol;
    const bool taken =
        readable && (as_thinking || (target_.wants_reasoning &&
                                     (issued_here || reasoning.origin.provider.empty())));
    if (taken) {
      ReasoningPart own{Origin(target_.protocol)};
      own.text = std::move(reasoning.text);
      part = std::move(own);
    }
    return taken;
  }

  void translate_parts(Message& message) {
    std::erase_if(message.parts, [&](Part& part) {
      if (const auto* reasoning = std::get_if<ReasoningPart>(&part)) {
        const bool carried = !reasoning->origin.provider.empty();
        const bool kept = is_makers(reasoning->origin) || take_over(part);
        out_.restored += kept && carried ? 1 : 0;
        if (!kept) {
          lose(LossKind::dropped, "reasoning");
        }
        lost_reasoning_ = lost_reasoning_ || !kept;
        return !kept;
      }
      if (auto* result = std::get_if<ToolResultPart>(&part)) {
        translate_result(*result);
        return false;
      }
      if (const auto* call = std::get_if<ToolCallPart>(&part)) {
        name_foreign(call->extra);
        return false;
      }
      return !fit(part);
    });
  }

  void name_foreign(const ExtraFields& extra) {
    if (foreign_) {
      name_extra(extra);
    }
  }

  /// Text, an image or a part of the protocol's own; false: it is to go.
  template <class Variant>
  bool fit(Variant& part) {
    if (auto* text = std::get_if<TextPart>(&part)) {
      if (foreign_) {
        take_cache_mark(*text);
      }
      name_foreign(text->extra);
      return !text->text.empty();
    }
    if (auto* image = std::get_if<ImagePart>(&part)) {
      name_foreign(image->extra);
      if (!rules_.image_detail && !image->detail.empty()) {
        lose(LossKind::dropped, "image detail");
      }
      return true;
    }
    if (const auto* opaque = std::get_if<OpaquePart>(&part)) {
      if (opaque->protocol == target_.protocol) {
        return true;
      }
      auto document = detail::translated_document(*opaque, target_.protocol);
      if (!document) {
        lose(LossKind::dropped, "part " + opaque->type);
        return false;
      }
      if (std::holds_alternative<TextPart>(*document)) {
        lose(LossKind::changed, "part " + opaque->type);
      }
      std::visit([&](auto& translated) { part = std::move(translated); }, *document);
    }
    return true;
  }

  void translate_result(ToolResultPart& result) {
    if (foreign_) {
      take_cache_mark(result);
    }
    name_foreign(result.extra);
    std::erase_if(result.content, [&](ToolResultPart::Content& content) { return !fit(content); });
    if (rules_.media_in_tool_results) {
      return;
    }
    for (const auto& content : result.content) {  // the codec puts these after the results
      if (std::holds_alternative<ImagePart>(content)) {
        lose(LossKind::changed, "image in a tool result");
      } else if (const auto* opaque = std::get_if<OpaquePart>(&content)) {
        lose(LossKind::changed, opaque->type + " in a tool result");
      }
    }
  }

  /// An item whose reasoning is gone must not say whose it was: the server would look for it.
  void forget_item_ids() {
    const auto forget = [](ExtraFields& extra) {
      std::erase_if(extra, [](const auto& field) { return field.first == "id"; });
    };
    for (auto& message : request_.messages) {
      forget(message.extra);
      for (auto& part : message.parts) {
        if (auto* call = std::get_if<ToolCallPart>(&part)) {
          forget(call->extra);
        }
      }
    }
  }

  void drop_empty() {
    std::erase_if(request_.messages, [](const Message& m) { return m.parts.empty(); });
  }

  void merge_neighbours() {
    std::vector<Message> merged;
    for (auto& message : request_.messages) {
      if (merged.empty() || message.role == Role::system || merged.back().role != message.role) {
        merged.push_back(std::move(message));
        continue;
      }
      auto& into = merged.back().parts;
      auto* const last = std::get_if<TextPart>(&into.back());
      auto* const first = std::get_if<TextPart>(&message.parts.front());
      auto from = message.parts.begin();
      if (last != nullptr && first != nullptr && last->refusal == first->refusal) {
        last->text.append("\n\n").append(
            first->text);  // which grows: nothing is copied per message
        last->extra = std::move(first->extra);
        last->cache_control = std::move(first->cache_control);
        ++from;
      }
      into.insert(into.end(), std::make_move_iterator(from),
                  std::make_move_iterator(message.parts.end()));
      lose(LossKind::changed, "adjacent messages with the same role");
    }
    request_.messages = std::move(merged);
  }

  void mend_ends() {
    auto& messages = request_.messages;
    if (messages.empty()) {
      return;
    }
    if (messages.front().role == Role::assistant && rules_.begins_with_user) {
      messages.emplace(messages.begin(), Role::user, "Continue.");
      lose(LossKind::added, "first user message");
    }
    if (messages.back().role != Role::assistant) {
      return;
    }
    using Mode = Thinking::Mode;
    const auto mode = request_.thinking.mode;
    const bool thinks = mode == Mode::adaptive || mode == Mode::budget;
    if (!target_.accepts_prefill || thinks) {
      messages.emplace_back(Role::user, std::string(detail::continue_text));
      lose(LossKind::changed, "prefill");
    } else if (auto* const text = std::get_if<TextPart>(&messages.back().parts.back())) {
      text->text.resize(text->text.find_last_not_of(" \t\r\n") + 1);  // trailing space is a 400
    }
  }

  Translation out_;
  detail::Losses losses_;
  const TranslationTarget& target_;
  const RequestRules& rules_;
  Request& request_;
  bool foreign_;
  bool lost_reasoning_ = false;
};

}  // namespace

TranslationTarget::TranslationTarget(Protocol p, std::string of, std::string m)
    : protocol(p),
      provider(std::move(of)),
      model(std::move(m)),
      output_limit(Catalog::built_in().model(model).refuses_max_tokens
                       ? OutputLimit::max_completion_tokens
                       : OutputLimit::max_tokens),
      longest_tool_id(traits_of(p).rules.longest_tool_id),
      longest_tool_name(traits_of(p).rules.longest_tool_name) {
  if (provider == "mistral") {
    longest_tool_id = 9;
    plain_tool_ids = true;
  }
}

std::string_view to_string(Loss::Kind kind) noexcept {
  switch (kind) {
    case LossKind::dropped: return "dropped";
    case LossKind::changed: return "changed";
    case LossKind::added: return "added";
  }
  return "";
}

std::string_view about(const Loss& loss) noexcept {
  struct Row {
    std::string_view begins;
    std::string_view word;
  };
  constexpr std::array rows{
      Row{"tool ", "tool"},        Row{"provider-specific tool", "tool"},
      Row{"tool call", "message"}, Row{"schema of ", "schema"},
      Row{"strict of ", "schema"}, Row{"reasoning", "reasoning"},
      Row{"part ", "content"},     Row{"image", "content"},
      Row{"field ", "field"},      Row{"beta ", "beta"},
      Row{"system ", "message"},   Row{"prefill", "message"},
      Row{"adjacent ", "message"}, Row{"first user message", "message"},
      Row{"result ", "message"},   Row{"compacted ", "message"},
  };
  const auto* const row = std::find_if(
      rows.begin(), rows.end(), [&](const Row& one) { return loss.what.starts_with(one.begins); });
  return row == rows.end() ? std::string_view("parameter") : row->word;
}

Translation translate(Request request, const TranslationTarget& target) {
  auto translated = Translator(std::move(request), target).run();
  translated.request.model = target.model;
  return translated;
}

}  // namespace understudy::llm
