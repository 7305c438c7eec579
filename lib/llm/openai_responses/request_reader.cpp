#include <iterator>

#include "llm/made_up_id.hpp"
#include "llm/opened_carrier.hpp"
#include "llm/request_json.hpp"
#include "request.hpp"
#include "understudy/llm/carrier.hpp"

namespace understudy::llm::detail::openai_responses {
namespace {

class ResponsesRequestReader {
 public:
  static constexpr Protocol own = Protocol::openai_responses;
  static constexpr std::string_view not_stored =
      "names what no provider has stored: the answer was not a Responses provider's own; send the "
      "whole conversation in `input`, with `store` set to false";

  /// What the search for tools is called as a function.
  static constexpr std::string_view search_name = "tool_search";

  explicit ResponsesRequestReader(std::string_view body) : in_(body) {}

  ReadRequest read() {
    auto read = in_.read_body(own, request_,
                              [&](std::string_view key, value& v) { return member(key, v); });
    if (read && !instructions_.empty()) {  // they come first, wherever they stand
      read->system.emplace(read->system.begin(), std::move(instructions_));
    }
    return read;
  }

 private:
  bool member(std::string_view key, value& v) {
    if (json::is_null(v)) return true;
    if (key == "model") return in_.read(v, "model", request_.model);
    if (key == "stream") return in_.read(v, "stream", request_.stream);
    if (key == "instructions") return in_.read(v, "instructions", instructions_);
    if (key == "input") {
      if (is_string(v)) {
        return read_text(v, "input", request_.messages.emplace_back(Role::user).parts);
      }
      return in_.array(v, "input", [&](value& item) { return read_item(item); });
    }
    if (key == "tools") {
      return in_.array(v, "tools", [&](value& tool) { return read_tool(tool, request_.tools); });
    }
    if (key == "tool_choice") return tool_choice(v);
    if (key == "parallel_tool_calls") {
      return in_.read(v, "parallel_tool_calls", request_.parallel_tool_calls);
    }
    if (key == "max_output_tokens") return in_.read(v, "max_output_tokens", request_.max_tokens);
    if (key == "reasoning") {
      return in_.object(v, "reasoning", [&](std::string_view k, value& m) {
        if (json::is_null(m)) return true;
        if (k == "effort") return in_.read(m, "reasoning.effort", request_.thinking.effort);
        return k != "summary" || in_.read(m, "reasoning.summary", request_.thinking.display);
      });
    }
    if (key == "text") return text(v);
    if (key == "temperature") return in_.read(v, "temperature", request_.sampling.temperature);
    if (key == "top_p") return in_.read(v, "top_p", request_.sampling.top_p);
    if (key == "previous_response_id" && is_made_up(json::text(v, in_.arena()))) {
      return in_.fail("previous_response_id", not_stored);
    }
    if (key == "user" || key == "safety_identifier") return in_.read(v, "user", request_.user);
    return in_.keep(key, v, request_.extra);
  }

  bool read_text(value& v, std::string_view parameter, std::vector<Part>& parts) {
    TextPart part;
    const bool read = in_.read(v, parameter, part.text);
    parts.emplace_back(std::move(part));
    return read;
  }

  bool read_item(value& v) {
    return in_.typed(v, "input", [&](std::string_view type, Object& item, std::string_view raw) {
      if (type == "message" || type.empty()) return read_message(item);
      if (type == "function_call") return read_call(item, ToolForm::function);
      if (type == "custom_tool_call") return read_call(item, ToolForm::custom);
      if (type == "function_call_output") return read_result(item, ToolForm::function);
      if (type == "custom_tool_call_output") return read_result(item, ToolForm::custom);
      if (type == "tool_search_call" && is_clients(item)) {
        return read_call(item, ToolForm::search);
      }
      if (type == "tool_search_output" && is_clients(item)) {
        return read_result(item, ToolForm::search);
      }
      if (type == "reasoning") return read_reasoning(item, raw);
      if (is_content(type)) return in_.fail("input.type", "belongs in a message");
      if (type == "item_reference" && !can_be_referred_to(item)) return false;
      const bool result = type.ends_with("_output") || type == "item_reference";
      OpaquePart part(own, std::string(type), std::string(raw));
      const bool read = type != "additional_tools" || read_additional_tools(item, part.tools);
      last(result ? Role::user : Role::assistant).parts.emplace_back(std::move(part));
      return read;
    });
  }

  /// Whether the client has searched its tools, in a call that has an id. Others were the provider's own search.
  bool is_clients(Object& item) {
    const auto execution = peek(item, "execution", in_.arena());
    const auto id = peek(item, "call_id", in_.arena());
    return execution == "client" && id && !id->empty();
  }

  bool read_additional_tools(Object& item, std::vector<Tool>& into) {
    return in_.members(item, [&](std::string_view key, value& m) {
      return key != "tools" ||
             in_.array(m, "input.tools", [&](value& tool) { return read_tool(tool, into); });
    });
  }

  /// No provider knows an id that this library made up, so the conversation would lack the item.
  bool can_be_referred_to(Object& item) {
    return in_.members(item, [&](std::string_view key, value& m) {
      return key != "id" || !is_made_up(json::text(m, in_.arena())) ||
             in_.fail("input.id", not_stored);
    });
  }

  /// Whether the last message has that role and nothing but such parts. These stand at its front alone, so its
  /// last part tells.
  template <class Kind>
  bool ends_in(Role role) const {
    const auto* const last = request_.messages.empty() ? nullptr : &request_.messages.back();
    return last != nullptr && last->role == role &&
           (last->parts.empty() || std::holds_alternative<Kind>(last->parts.back()));
  }

  /// The last message, if the role is its, or a new one.
  Message& last(Role role) {
    const bool same = !request_.messages.empty() && request_.messages.back().role == role;
    return same ? request_.messages.back() : request_.messages.emplace_back(role);
  }

  bool read_message(Object& item) {
    std::string role;
    Message message(Role::user);
    const bool read = in_.members(item, [&](std::string_view key, value& m) {
      if (key == "role") return in_.read(m, "input.role", role);
      if (key == "content") {
        if (is_string(m)) return read_text(m, "input.content", message.parts);
        return in_.array(m, "input.content",
                         [&](value& part) { return read_part(part, message.parts); });
      }
      return key == "type" || in_.keep(key, m, message.extra);
    });
    return read && place(std::move(message), role);
  }

  bool place(Message message, std::string_view role) {
    const auto known = openai_role(role);
    if (!known) {
      return in_.fail("input.role", "must be user, assistant, system or developer");
    }
    message.role = *known;
    // The reasoning before a message belongs to the same turn.
    if (message.role == Role::assistant && ends_in<ReasoningPart>(Role::assistant)) {
      auto& before = request_.messages.back();
      before.parts.insert(before.parts.end(), std::make_move_iterator(message.parts.begin()),
                          std::make_move_iterator(message.parts.end()));
      before.extra = std::move(message.extra);
      return true;
    }
    add_message(request_, std::move(message));
    return true;
  }

  bool read_part(value& v, std::vector<Part>& parts) {
    return in_.typed(v, "input.content",
                     [&](std::string_view type, Object& members, std::string_view raw) {
                       if (type == "input_text" || type == "output_text" || type == "text" ||
                           type == "refusal") {
                         return in_.read_text(members, type == "refusal", parts);
                       }
                       if (type == "input_image") return read_image(members, raw, parts);
                       parts.emplace_back(OpaquePart(own, std::string(type), std::string(raw)));
                       return is_content(type) || in_.fail("input.content.type", "is not known");
                     });
  }

  /// An image by file id is known to its provider alone.
  bool read_image(Object& members, std::string_view raw, std::vector<Part>& parts) {
    ImagePart part;
    std::string url;
    const bool read = in_.members(members, [&](std::string_view key, value& m) {
      if (json::is_null(m)) return true;
      if (key == "image_url") return in_.read(m, "image_url", url);
      if (key == "detail") return in_.read(m, "image.detail", part.detail);
      return key == "type" || in_.keep(key, m, part.extra);
    });
    if (url.empty()) {
      parts.emplace_back(OpaquePart(own, "input_image", std::string(raw)));
    } else {
      set_url(part, std::move(url));
      parts.emplace_back(std::move(part));
    }
    return read;
  }

  bool read_call(Object& item, ToolForm form) {
    ToolCallPart part;
    part.form = form;
    if (form == ToolForm::search) {
      part.name = search_name;
    }
    std::string input;
    const bool read = in_.members(item, [&](std::string_view key, value& m) {
      if (key == "call_id") return in_.read(m, "function_call.call_id", part.id);
      const bool named = form != ToolForm::search;
      if (key == "name" && named) return in_.read(m, "function_call.name", part.name);
      if (key == "namespace" && named) {
        return json::is_null(m) || in_.read(m, "function_call.namespace", part.name_space);
      }
      if (key == "arguments" && form == ToolForm::search) {
        part.arguments = json::raw(m);
        return !part.arguments.empty();
      }
      if (key == "arguments" && form == ToolForm::function) {
        return in_.read(m, "function_call.arguments", part.arguments);
      }
      if (key == "input" && form == ToolForm::custom) {
        return in_.read(m, "custom_tool_call.input", input);
      }
      return key == "type" || in_.keep(key, m, part.extra);
    });
    if (form == ToolForm::custom) {
      part.arguments = custom_arguments(input);
    }
    last(Role::assistant).parts.emplace_back(std::move(part));
    return read;
  }

  /// Results that follow each other are one user message.
  bool read_result(Object& item, ToolForm form) {
    ToolResultPart part;
    part.form = form;
    const bool read = in_.members(item, [&](std::string_view key, value& m) {
      if (key == "tools" && form == ToolForm::search) return read_found(m, part);
      if (key == "call_id") return in_.read(m, "function_call_output.call_id", part.call_id);
      if (key == "output" && form != ToolForm::search) {
        if (is_string(m)) {
          return in_.read(m, "function_call_output.output",
                          std::get<TextPart>(part.content.emplace_back(TextPart())).text);
        }
        return in_.array(m, "function_call_output.output",
                         [&](value& content) { return read_content(content, part); });
      }
      return key == "type" || in_.keep(key, m, part.extra);
    });
    auto& message = ends_in<ToolResultPart>(Role::user)
                        ? request_.messages.back()
                        : request_.messages.emplace_back(Role::user);
    message.parts.emplace_back(std::move(part));
    return read;
  }

  /// The tools that a search has found. They are kept as they came, too.
  bool read_found(value& v, ToolResultPart& result) {
    json::ondemand::array found;
    std::string_view raw;
    if (v.get_array().get(found) != simdjson::SUCCESS) {
      return in_.fail("tool_search_output.tools", "must be an array");
    }
    if (found.raw_json().get(raw) != simdjson::SUCCESS) {
      return in_.fail("tool_search_output.tools", "is malformed");
    }
    result.extra.emplace_back("tools", raw.substr(0, raw.rfind(']') + 1));
    found.reset();
    return json::elements(found, [&](value& tool) { return read_tool(tool, result.tools); });
  }

  bool read_content(value& v, ToolResultPart& result) {
    std::vector<Part> parts;
    const bool read = read_part(v, parts);
    for (auto& part : parts) {
      add_content(result, std::move(part));
    }
    return read;
  }

  bool read_reasoning(Object& item, std::string_view raw) {
    ReasoningPart part{Origin(own)};
    part.json = raw;
    const auto paragraph = [&](value& v) {
      return json::members_of(v, [&](raw_json_string key, value& m) {
        if (key == "text") {
          part.text += part.text.empty() ? "" : "\n\n";
          part.text += json::text(m, in_.arena());
        }
        return true;
      });
    };
    const bool read = in_.members(item, [&](std::string_view key, value& m) {
      if (key == "summary") return json::elements_of(m, paragraph);
      if (key == "encrypted_content" && !json::is_null(m)) {
        return in_.read(m, "reasoning.encrypted_content", part.seal);
      }
      return true;
    });
    if (is_carrier(part.seal)) {
      open_carrier(part);
    }
    last_of_turn().parts.emplace_back(std::move(part));
    return read;
  }

  /// Reasoning begins a turn's next step, unless more reasoning comes before it.
  Message& last_of_turn() {
    const bool goes_on =
        !request_.messages.empty() && request_.messages.back().role == Role::assistant &&
        !request_.messages.back().parts.empty() &&
        std::holds_alternative<ReasoningPart>(request_.messages.back().parts.back());
    return goes_on ? request_.messages.back() : request_.messages.emplace_back(Role::assistant);
  }

  /// `outer`: it may be a namespace.
  bool read_tool(value& v, std::vector<Tool>& into, bool outer = true) {
    auto& tool = into.emplace_back();
    return in_.typed(v, "tools", [&](std::string_view type, Object& members, std::string_view raw) {
      if (type != "function") {
        tool.provider_tool = raw;
      }
      if (type == "custom") {
        tool.form = ToolForm::custom;
      } else if (type == "tool_search" && peek(members, "execution", in_.arena()) == "client") {
        tool.form = ToolForm::search;
        tool.name = search_name;
      } else if (type != "function" && (type != "namespace" || !outer)) {
        return in_.read_provider_tool(members, type, tool);
      }
      return in_.members(members,
                         [&](std::string_view key, value& m) { return tool_member(key, m, tool); });
    });
  }

  bool tool_member(std::string_view key, value& m, Tool& tool) {
    if (key == "name") return in_.read(m, "tools.name", tool.name);
    if (json::is_null(m)) return true;
    if (key == "description") return in_.read(m, "tools.description", tool.description);
    if (key == "parameters") return in_.read_object(m, "tools.parameters", tool.schema);
    if (key == "strict") return in_.read(m, "tools.strict", tool.strict);
    if (key == "format") return in_.read_tool_format(m, false, tool);
    if (key == "tools") {
      return in_.array(m, "tools.tools",
                       [&](value& member) { return read_tool(member, tool.tools, false); });
    }
    return key == "type" || key == "execution" || in_.keep(key, m, tool.extra);
  }

  bool tool_choice(value& v) {
    return in_.openai_tool_choice(v, request_, [&](std::string_view key, value& m) {
      return key != "name" || in_.read(m, "tool_choice.name", request_.tool_choice.name);
    });
  }

  bool text(value& v) {
    OutputFormat output;
    std::string type = "text";
    bool more = false;
    const auto format = [&](std::string_view key, value& m) {
      if (json::is_null(m)) return true;
      if (key == "type") return in_.read(m, "text.format.type", type);
      if (key == "name") return in_.read(m, "text.format.name", output.name);
      if (key == "strict") return in_.read(m, "text.format.strict", output.strict);
      return key != "schema" || in_.read_object(m, "text.format.schema", output.schema);
    };
    const bool read =
        in_.typed(v, "text", [&](std::string_view, Object& members, std::string_view raw) {
          const bool well_formed = in_.members(members, [&](std::string_view key, value& m) {
            more = more || key != "format";
            return key != "format" || json::is_null(m) || in_.object(m, "text.format", format);
          });
          if (more) {
            request_.extra.emplace_back("text", raw);
          }
          return well_formed;
        });
    if (type != "text") {
      request_.output = std::move(output);
    }
    return read;
  }

  RequestReader in_;
  Request request_;
  std::string instructions_;
};

}  // namespace

ReadRequest read_request(std::string_view body) { return ResponsesRequestReader(body).read(); }

}  // namespace understudy::llm::detail::openai_responses
