#include "translate_tools.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "property_names.hpp"
#include "text/json.hpp"
#include "text/name_table.hpp"
#include "tool_ids.hpp"

namespace understudy::llm::detail {
namespace {

using LossKind = Loss::Kind;

constexpr std::string_view custom_schema =
    R"({"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false})";

/// Some descriptions say that the input must not be wrapped in JSON, as Codex's of `apply_patch`.
constexpr std::string_view how_to_call =
    "Call this function with the whole input of the tool, as it is, in the string `input`.";

/// The text of that member of a JSON object; nothing: it has none that is a string.
std::optional<std::string> text_member(std::string_view object, std::string_view name) {
  text::Arena arena;
  json::Parser parser(json::padded_copy(object, arena), arena);
  const auto members = parser.object();
  std::optional<std::string> found;
  if (members) {
    json::members(*members, [&](json::ondemand::raw_json_string key, json::ondemand::value& v) {
      if (json::name(key) == name) {
        if (const auto text = json::string(v, arena)) {
          found = *text;
        }
        return false;
      }
      return true;
    });
  }
  return found;
}

class ToolTranslation {
 public:
  ToolTranslation(Translation& out, Losses& losses, const TranslationTarget& target)
      : out_(out),
        request_(out.request),
        losses_(losses),
        properties_{target.longest_property, target.property_characters},
        ids_(target.longest_tool_name, false, hash_),
        keys_(hash_, out.request.tools.size()) {
    ids_.demand(target.shortest_tool_name, target.letter_first);
    named_.reserve(request_.tools.size());
  }

  void run() {
    std::string unused;
    offer_all(std::exchange(request_.tools, {}), unused);
    for (auto& message : request_.messages) {
      std::erase_if(message.parts, [&](Part& part) { return take_tools(part); });
    }
    for (auto& message : request_.messages) {
      for (auto& part : message.parts) {
        rename(part);
      }
    }
    choose();
    spell_out_compactions();
    out_.tools = ToolTable(std::move(sent_));
  }

 private:
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

  struct Named {
    std::string sent;
    std::size_t place = nowhere;  // among the tools; nowhere: only the history has it
  };

  /// Whether it is the search, namespace, name.
  static std::string key_of(std::string_view name, std::string_view name_space, ToolForm form) {
    std::string key(form == ToolForm::search ? "s" : "");
    return key.append(1, '\0').append(name_space).append(1, '\0').append(name);
  }

  const Named* find(std::string_view name, ToolForm form) {
    const auto number = keys_.find(key_of(name, {}, form));
    return number == text::NameTable<std::string>::none ? nullptr : &named_[number];
  }

  /// Of a tool in `named_` and `sent_`.
  std::size_t number_of(const Named& tool) const {
    return static_cast<std::size_t>(&tool - named_.data());
  }

  Named& named(const std::string& name, const std::string& name_space, ToolForm form) {
    const auto [number, fresh] = keys_.add(key_of(name, name_space, form));
    if (fresh) {
      constexpr std::string_view joint = "__";
      const auto whole = name_space.empty()            ? name
                         : name_space.ends_with(joint) ? name_space + name
                                                       : name_space + std::string(joint) + name;
      named_.push_back({ids_.give(whole)});
      sent_.emplace_back(named_.back().sent, ToolName(name, name_space, form));
    }
    return named_[number];
  }

  /// Adds the tool, or the tools of a namespace, to the request. `names`: of these, as they are sent, is extended.
  void offer(Tool tool, std::string& names) {
    if (tool.tools.empty()) {
      return offer_one(std::move(tool), names);
    }
    if (!tool.description.empty() && tool.description != tool.name) {
      losses_.add(LossKind::dropped, "description of namespace " + tool.name);
    }
    for (auto& member : tool.tools) {
      member.name_space = tool.name;
      offer_one(std::move(member), names);
    }
  }

  void offer_one(Tool tool, std::string& names) {
    if (tool.form == ToolForm::function && !tool.provider_tool.empty()) {
      request_.tools.push_back(std::move(tool));
      return;
    }
    auto& known = named(tool.name, tool.name_space, tool.form);
    names.append(names.empty() ? "" : ", ").append(known.sent);
    if (tool.form == ToolForm::custom) {
      spell_out(tool);
    }
    if (auto sent = PropertyNames::of(tool.schema, properties_); sent.names) {
      tool.schema = std::move(sent.schema);
      auto& properties = sent_[number_of(known)].second.properties;
      properties = properties ? properties : std::move(sent.names);
    }
    tool.name = known.sent;
    tool.name_space.clear();
    tool.form = ToolForm::function;
    tool.provider_tool.clear();
    if (known.place == nowhere) {
      known.place = request_.tools.size();
      request_.tools.push_back(std::move(tool));
      return;
    }
    // A search may find what is offered already. Two tools of one name are refused.
    const auto& first = request_.tools[known.place];
    if (first.schema != tool.schema || first.description != tool.description) {
      losses_.add(LossKind::dropped, "second tool " + tool.name);
    }
  }

  /// A function of one string, and the grammar as text.
  void spell_out(Tool& tool) {
    const auto paragraph = [&](std::string_view text) {
      tool.description.append(tool.description.empty() ? "" : "\n\n").append(text);
    };
    paragraph(how_to_call);
    if (tool.grammar) {
      paragraph("The input must match this grammar (" + tool.grammar->syntax + "):\n" +
                tool.grammar->definition);
      losses_.add(LossKind::changed, "grammar of " + tool.name);
      tool.grammar.reset();
    }
    tool.schema = custom_schema;
  }

  /// The tools that a part of the conversation makes available. Returns whether nothing else is in the part.
  bool take_tools(Part& part) {
    if (auto* const result = std::get_if<ToolResultPart>(&part)) {
      if (result->form == ToolForm::search) {
        std::string names;
        offer_all(std::exchange(result->tools, {}), names);
        result->extra.clear();
        result->content.emplace_back(
            TextPart(names.empty() ? "No tools found." : "Tools found: " + names));
      }
      return false;
    }
    auto* const opaque = std::get_if<OpaquePart>(&part);
    if (opaque == nullptr || opaque->type != "additional_tools") {
      return false;
    }
    std::string unused;
    offer_all(std::exchange(opaque->tools, {}), unused);
    return true;
  }

  void offer_all(std::vector<Tool> tools, std::string& names) {
    if (request_.tools.empty()) {
      request_.tools.reserve(tools.size());
    }
    for (auto& tool : tools) {
      offer(std::move(tool), names);
    }
  }

  void rename(Part& part) {
    if (auto* const call = std::get_if<ToolCallPart>(&part)) {
      const auto& tool = named(call->name, call->name_space, call->form);
      call->name = tool.sent;
      if (const auto& properties = sent_[number_of(tool)].second.properties) {
        call->arguments = properties->arguments_sent(call->arguments);
      }
      call->name_space.clear();
      if (call->form == ToolForm::search) {
        std::erase_if(call->extra, [](const auto& field) { return field.first == "execution"; });
      }
      call->form = ToolForm::function;
    } else if (auto* const result = std::get_if<ToolResultPart>(&part)) {
      result->form = ToolForm::function;
      bool first = true;
      for (auto& content : result->content) {
        refer(content, first);
        first = false;
      }
    }
  }

  /// Anthropic's references to tools that a search has found.
  void refer(ToolResultPart::Content& content, bool first) {
    const auto* const opaque = std::get_if<OpaquePart>(&content);
    const auto name = opaque == nullptr || opaque->type != "tool_reference"
                          ? std::nullopt
                          : text_member(opaque->json, "tool_name");
    if (name) {
      const auto* const tool = find(*name, ToolForm::function);
      content = TextPart(std::string(first ? "" : "\n") +
                         "Tool found: " + (tool == nullptr ? *name : tool->sent));
    }
  }

  void choose() {
    auto& choice = request_.tool_choice;
    if (choice.mode != ToolChoice::Mode::named) {
      return;
    }
    const auto* const tool = find(choice.name, choice.form);
    if (tool == nullptr) {
      choice = ToolChoice();
      losses_.add(LossKind::dropped, "tool_choice");
    } else {
      choice.name = tool->sent;
      choice.form = ToolForm::function;
    }
  }

  /// What replaces the conversation before it, and so must not get lost: as text of the user, if it can be read.
  void spell_out_compactions() {
    std::vector<Message> messages;
    for (auto& message : request_.messages) {
      Message rest(message.role);
      for (auto& part : message.parts) {
        const auto* const opaque = std::get_if<OpaquePart>(&part);
        if (opaque != nullptr && opaque->type == "compaction") {
          if (auto text = summary_of(*opaque)) {
            if (!rest.parts.empty()) {
              messages.push_back(std::exchange(rest, Message(message.role)));
            }
            messages.emplace_back(Role::user, std::move(*text));
          }
        } else if (opaque != nullptr && opaque->type == "compaction_trigger") {
          out_.unsupported =
              "`compaction_trigger`: this member cannot compact a conversation of this protocol";
        } else {
          rest.parts.push_back(std::move(part));
        }
      }
      if (!rest.parts.empty()) {
        rest.extra = std::move(message.extra);
        messages.push_back(std::move(rest));
      }
    }
    request_.messages = std::move(messages);
  }

  /// Nothing: only its maker can read it, or it is empty.
  std::optional<std::string> summary_of(const OpaquePart& part) {
    auto text = text_member(part.json, "content");
    if (!text && text_member(part.json, "encrypted_content")) {
      losses_.add(LossKind::dropped, "compacted history");
    } else if (text && !text->empty()) {
      losses_.add(LossKind::changed, "part compaction");
      return "Summary of the conversation so far:\n\n" + *text;
    }
    return std::nullopt;
  }

  Translation& out_;
  Request& request_;
  Losses& losses_;
  text::KeyedHash hash_;
  PropertyRule properties_;
  ToolIds ids_;
  text::NameTable<std::string> keys_;
  std::vector<Named> named_;  // of each key
  ToolTable::Sent sent_;
};

}  // namespace

void translate_tools(Translation& out, Losses& losses, const TranslationTarget& target) {
  ToolTranslation(out, losses, target).run();
}

}  // namespace understudy::llm::detail
