// `understudy classify`: what the library makes of failures, one JSON object a line in, one out.
//
// Input of any size runs in bounded memory: a line, or an array over many lines, has a limit.
#include "understudy/llm/classify.hpp"

#include <simdjson.h>

#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "command.hpp"
#include "understudy/failover/policy.hpp"
#include "understudy/llm/refused_part.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::tool {
namespace {

using simdjson::dom::element;

constexpr std::size_t input_limit = std::size_t{16} * 1024 * 1024;

/// What is done first by default, with one API key, and one healthy member left. Mending the request
/// and sending it again is a retry to whoever asks from outside.
std::string_view first_action(const llm::Classified& failure, bool lacking) {
  Situation now(lacking ? FailoverReason::unsupported_request : failure.reason);
  now.member_left = true;
  now.mendable = true;
  now.retry_after = failure.retry_after;
  const auto action = decide(Policy(), now).action;
  return to_string(action == Action::mend ? Action::retry : action);
}

/// The value as text: a string as it is, null as nothing, anything else as JSON.
std::string text_of(const element& value) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    return std::string(text);
  }
  return value.is_null() ? std::string() : simdjson::minify(value);
}

/// The same of a member, which may be missing.
std::string text_of(const simdjson::simdjson_result<element>& field) {
  element value;
  return field.get(value) == simdjson::SUCCESS ? text_of(value) : std::string();
}

/// The value as a whole number; nothing for null, for what is missing, negative or no number.
std::optional<std::uint64_t> number_of(const simdjson::simdjson_result<element>& field) {
  std::uint64_t number = 0;
  return field.get(number) == simdjson::SUCCESS ? std::optional(number) : std::nullopt;
}

void classify_case(const element& given, std::string& out) {
  const auto provider = text_of(given["provider"]);
  const auto model = text_of(given["model"]);
  const auto body = text_of(given["body"]);
  const auto event = text_of(given["event"]);
  const auto message = text_of(given["message"]);
  std::vector<std::pair<std::string, std::string>> owned_headers;
  simdjson::dom::object fields;
  if (given["headers"].get(fields) == simdjson::SUCCESS) {
    for (const auto field : fields) {
      owned_headers.emplace_back(field.key, text_of(field.value));
    }
  }
  const std::vector<llm::HeaderField> headers(owned_headers.begin(), owned_headers.end());

  llm::ProviderError error;
  error.with_provider(provider)
      .with_model(model)
      .with_headers(headers)
      .with_body(body)
      .with_event(event)
      .with_message(message)
      .with_prompt(number_of(given["prompt_tokens"]).value_or(0))
      .with_messages(number_of(given["messages"]).value_or(0));
  constexpr std::uint64_t no_status_above = 999;
  error.with_status(
      static_cast<int>(std::min(number_of(given["status"]).value_or(0), no_status_above)));
  if (const auto window = number_of(given["context_window"])) {
    error.with_context_window(*window);
  }
  const auto failure = classify(error);
  const bool lacking =
      failure.reason == FailoverReason::format_error &&
      llm::is_capability_refusal(
          static_cast<int>(std::min(number_of(given["status"]).value_or(0), no_status_above)),
          body);

  JsonWriter json(out);
  json.begin_object().key("name");
  if (given["name"].error() == simdjson::SUCCESS) {
    json.value(text_of(given["name"]));
  } else {
    json.null();
  }
  json.member("reason", to_string(failure.reason)).key("retry_after_ms");
  if (failure.retry_after) {
    json.value(std::chrono::ceil<std::chrono::milliseconds>(*failure.retry_after).count());
  } else {
    json.null();
  }
  json.member("action", first_action(failure, lacking)).member("rule", failure.rule).end_object();
  out += '\n';
}

/// Classifies line by line, and the elements of a line that is an array. Remembers whether all was well.
class Run {
 public:
  /// False, and nothing written, if it is no object and no array of objects.
  bool json(const std::string& text) {
    element root;
    if (parser_.parse(text).get(root) != simdjson::SUCCESS) {
      return false;
    }
    simdjson::dom::array array;
    if (root.get(array) != simdjson::SUCCESS) {
      return one(root);
    }
    for (const element item : array) {
      if (!item.is_object()) {
        return false;
      }
    }
    for (const element item : array) {
      one(item);
    }
    return true;
  }

  void line(const std::string& text) {
    ++number_;
    if (text.find_first_not_of(" \t\r") != std::string::npos && !json(text)) {
      bad("not a JSON object");
    }
  }

  void too_long() {
    ++number_;
    bad("longer than 16 MiB");
  }

  bool well() const { return well_; }

 private:
  bool one(const element& item) {
    if (!item.is_object()) {
      return false;
    }
    out_.clear();
    classify_case(item, out_);
    std::cout << out_;
    return true;
  }

  void bad(const char* what) {
    std::cerr << "understudy classify: line " << number_ << ": " << what << "\n";
    well_ = false;
  }

  simdjson::dom::parser parser_{input_limit};
  std::string out_;
  std::size_t number_ = 0;
  bool well_ = true;
};

enum class Read { line, too_long, end };

/// The next line without its end. One that is too long is read past.
Read next_line(std::istream& in, std::string& line) {
  line.clear();
  auto& buffer = *in.rdbuf();
  constexpr auto end = std::char_traits<char>::eof();
  bool any = false;
  bool fits = true;
  for (auto c = buffer.sbumpc(); c != end; c = buffer.sbumpc()) {
    any = true;
    if (c == '\n') {
      break;
    }
    fits = fits && line.size() < input_limit;
    if (fits) {
      line += static_cast<char>(c);
    }
  }
  return !any ? Read::end : fits ? Read::line : Read::too_long;
}

int run() {
  std::ios::sync_with_stdio(false);
  Run result;
  std::string line;
  std::string array;  // what begins like an array, until it is one, or too long for one
  bool maybe_array = true;
  const auto as_lines = [&] {
    maybe_array = false;
    std::istringstream lines(std::exchange(array, {}));
    for (std::string each; std::getline(lines, each);) {
      result.line(each);
    }
  };
  for (Read read = next_line(std::cin, line); read != Read::end; read = next_line(std::cin, line)) {
    if (maybe_array && array.find_first_not_of(" \t\r\n") == std::string::npos) {
      const auto first = line.find_first_not_of(" \t\r");
      maybe_array = first == std::string::npos || line[first] == '[';
    }
    if (maybe_array && read == Read::line && array.size() + line.size() < input_limit) {
      array += line + '\n';
      continue;
    }
    as_lines();
    if (read == Read::too_long) {
      result.too_long();
    } else {
      result.line(line);
    }
  }
  if (!array.empty() && !result.json(array)) {
    as_lines();
  }
  std::cout.flush();
  return result.well() ? done : failed;
}

}  // namespace

Command classify_command(CLI::App& program) {
  auto* options = program.add_subcommand(
      "classify", "Classifies failures: the reason, the wait, and the first action");
  options->footer(
      "Reads JSON from standard input: one object per line, or one array of objects, each with any "
      "of\n"
      "name, provider, model, status, headers, body, event, message, prompt_tokens, "
      "context_window,\n"
      "messages. Writes {\"name\",\"reason\",\"retry_after_ms\",\"action\",\"rule\"} for each.\n"
      "Exit code 0, or 1 if a line was malformed; the other lines are still classified.");
  return {options, run};
}

}  // namespace understudy::tool
