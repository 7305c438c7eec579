#include "llm/catalog/tables.hpp"

#include <array>
#include <span>

#include "understudy/llm/protocol_traits.hpp"

namespace understudy::llm {
namespace {

using namespace text;

constexpr std::int64_t most_tokens = 1'000'000'000;

constexpr std::array<std::string_view, 50> check_names{
    "top_allow",
    "top_refuse",
    "not_both",
    "require",
    "equals",
    "header_require",
    "header_beta",
    "gated",
    "max_len",
    "pattern",
    "max_items",
    "stop_count",
    "number",
    "one_of",
    "choice_string",
    "choice_with_thinking",
    "temperature_by_thinking",
    "role",
    "role_order",
    "msg_refuse",
    "content_null",
    "input_list",
    "empty_text",
    "block_types",
    "cache_breakpoints",
    "reserved_text",
    "no_image_in_tool_result",
    "pairing",
    "item_ids",
    "tool_shape",
    "tool_unique",
    "schema_root",
    "schema_keys",
    "schema_keywords",
    "schema_properties",
    "signature",
    "binding",
    "encrypted",
    "reasoning_followed",
    "needs_reasoning_content",
    "needs_signature",
    "context_window",
    "model_max_output",
    "model_sampling",
    "model_effort",
    "model_thinking",
    "model_forced_tool",
    "model_prefill",
    "model_tools_on_chat",
    "model_mid_system",
};
constexpr std::array<std::string_view, 5> effect_names{"lossless", "lossy", "refuse", "advisory",
                                                       "none"};
constexpr std::array<std::string_view, 4> confidence_names{"doc", "live", "single", "unchecked"};

/// An enumeration by the names of its enumerators.
template <class Enum>
class Word {
 public:
  explicit Word(std::span<const std::string_view> names) : names_(names) {}

  std::string type() const { return list_of_strings(names_); }
  std::string bounds() const { return {}; }
  std::optional<Enum> read(const Section& section, std::string_view key) const {
    const auto index = section.choice(key, names_);
    return index ? std::optional(static_cast<Enum>(*index)) : std::nullopt;
  }
  std::string text(Enum) const { return {}; }

 private:
  std::span<const std::string_view> names_;
};

Word<Confidence> confidence() { return Word<Confidence>(confidence_names); }

/// `refused` or `accepted`, as a flag.
class Refused {
 public:
  std::string type() const { return R"("accepted" or "refused")"; }
  std::string bounds() const { return {}; }
  std::optional<bool> read(const Section& section, std::string_view key) const {
    constexpr std::array<std::string_view, 2> words{"accepted", "refused"};
    const auto index = section.choice(key, words);
    return index ? std::optional(*index == 1) : std::nullopt;
  }
  std::string text(bool) const { return {}; }
};

std::vector<std::string_view> protocol_words() {
  std::vector<std::string_view> words;
  words.reserve(protocols.size());
  for (const auto protocol : protocols) {
    words.push_back(to_string(protocol));
  }
  return words;
}

/// Two numbers: the least and the greatest.
Special<ModelFacts> bounds_of(std::string_view key,
                              std::optional<std::pair<double, double>> ModelFacts::* member) {
  return {"list of two numbers", [=](const Section& section, ModelFacts& facts) {
            const auto* const list = section.list(key);
            if (list == nullptr) {
              return;
            }
            std::vector<double> numbers;
            for (const auto& node : *list) {
              if (const auto* const fraction = std::get_if<double>(&node.value)) {
                numbers.push_back(*fraction);
              } else if (const auto* const whole = std::get_if<std::int64_t>(&node.value)) {
                numbers.push_back(static_cast<double>(*whole));
              }
            }
            if (numbers.size() != 2 || list->size() != 2 || numbers[0] > numbers[1]) {
              section.wrong(key, ticked(key) + " must be the least and the greatest value",
                            "write " + std::string(key) + " = [0, 1]");
            } else {
              facts.*member = {numbers[0], numbers[1]};
            }
          }};
}

}  // namespace

static_assert(check_names[static_cast<std::size_t>(Check::model_mid_system)] == "model_mid_system");

std::string_view to_string(Effect effect) noexcept {
  return effect_names[static_cast<std::size_t>(effect)];
}
std::string_view to_string(Confidence level) noexcept {
  return confidence_names[static_cast<std::size_t>(level)];
}
std::string_view to_string(Check check) noexcept {
  return check_names[static_cast<std::size_t>(check)];
}

namespace detail {

const KeyTable<BackEndRule>& rule_keys() {
  static const KeyTable<BackEndRule> keys(
      SectionRow("rules", "A rule that requests must follow at the back ends that list it.")
          .as_list(),
      {
          Key<BackEndRule>("id", String(), &BackEndRule::id,
                           "The name by which back ends list the rule.")
              .required()
              .example(R"("codex.members")"),
          Key<BackEndRule>("check", Word<Check>(check_names), &BackEndRule::check,
                           "What the rule demands.")
              .required()
              .example(R"("top_allow")"),
          Key<BackEndRule>("effect", Word<Effect>(effect_names), &BackEndRule::effect,
                           "What is done about it before a request is sent.")
              .required()
              .example(R"("lossy")"),
          Key<BackEndRule>("confidence", confidence(), &BackEndRule::confidence,
                           "How well the rule is known.")
              .required()
              .example(R"("live")"),
          Key<BackEndRule>("source", Strings(), &BackEndRule::source,
                           "Where the rule is documented.")
              .example(R"(["openai/codex#1"])"),
          Key<BackEndRule>("remedy", String(), &BackEndRule::remedy,
                           "What is done about it, in words.")
              .example(R"("drop")"),
          Key<BackEndRule>("path", String(), &BackEndRule::path,
                           "The member that the rule is about.")
              .example(R"("input[].call_id")"),
          Key<BackEndRule>("also", Strings(), &BackEndRule::also,
                           "Other members for which the rule holds.")
              .example(R"(["max_tokens"])"),
          Key<BackEndRule>("names", Strings(), &BackEndRule::names,
                           "The names or values that the check needs.")
              .example(R"(["model", "input"])"),
          Key<BackEndRule>("need", Strings(), &BackEndRule::need,
                           "Members that a function must have.")
              .example(R"(["parameters"])"),
          Key<BackEndRule>("word", String(), &BackEndRule::word,
                           "The name or value that the check needs.")
              .example(R"("false")"),
          Key<BackEndRule>("when_model", String(), &BackEndRule::when_model,
                           "The rule holds for models that refuse this.")
              .example(R"("stop")"),
          Key<BackEndRule>("min", Number(), &BackEndRule::min, "The least value or length.")
              .example("16"),
          Key<BackEndRule>("max", Number(), &BackEndRule::max,
                           "The greatest value, length or count.")
              .example("64"),
          Key<BackEndRule>("prefix", String(), &BackEndRule::prefix, "What the value begins with.")
              .example(R"("srvtoolu_")"),
          Key<BackEndRule>("first", String(), &BackEndRule::first,
                           "What may come first, beside a letter.")
              .example(R"("_")"),
          Key<BackEndRule>("characters", String(), &BackEndRule::characters,
                           "What may occur, beside letters and digits.")
              .example(R"("_-")"),
          Key<BackEndRule>("always", Flag(), &BackEndRule::always,
                           "The rule holds for absent members too."),
          Key<BackEndRule>("camel", Flag(), &BackEndRule::camel,
                           "The members are refused in camel case too."),
          Key<BackEndRule>("while_thinking", Flag(), &BackEndRule::while_thinking,
                           "The rule holds while the model thinks."),
          Key<BackEndRule>("unless_developer_first", Flag(), &BackEndRule::unless_developer_first,
                           "A developer message at the beginning will do."),
          Key<BackEndRule>("system_first_only", Flag(), &BackEndRule::system_first_only,
                           "System messages come first."),
          Key<BackEndRule>("one_system", Flag(), &BackEndRule::one_system,
                           "There is only one system message."),
          Key<BackEndRule>("no_user_after_tool", Flag(), &BackEndRule::no_user_after_tool,
                           "A user message may not follow a tool message."),
          Key<BackEndRule>("deployment", Flag(), &BackEndRule::deployment,
                           "The rule depends on how the server was set up."),
      });
  return keys;
}

const KeyTable<ModelFacts>& family_keys() {
  static constexpr std::array<std::string_view, 3> forced{"accepted", "refused",
                                                          "not_with_thinking"};
  static constexpr std::array<std::string_view, 4> on_chat{"accepted", "refused",
                                                           "needs_effort_none", "not_with_effort"};
  static constexpr std::array<std::string_view, 6> sampling{
      "any", "refused", "default_only", "with_none", "one_of_two", "ignored_in_thinking"};
  using Facts = Key<ModelFacts>;
  const Whole tokens(1, most_tokens);
  static const KeyTable<ModelFacts> keys(
      SectionRow("families", "What is known about a family of models.").as_list(),
      {
          Facts("match", Strings(), &ModelFacts::match, "The names of its models, as patterns.")
              .required()
              .example(R"(["claude-opus-5"])"),
          Facts("like", {"string", [](const Section&, ModelFacts&) {}},
                "A model whose facts these are, but for those that are written here.")
              .default_note("none")
              .example(R"("gpt-5.6-sol")"),
          Facts("maker", String(), &ModelFacts::maker, "Who makes the models.")
              .example(R"("anthropic")"),
          Facts("confidence", confidence(), &ModelFacts::confidence,
                "How well the facts are known.")
              .required()
              .example(R"("doc")"),
          Facts("source", Strings(), &ModelFacts::source, "Where the facts are documented.")
              .example(R"(["models page"])"),
          Facts("context_window", tokens, &ModelFacts::context_window,
                "The tokens that fit the model, prompt and answer together."),
          Facts("max_input", tokens, &ModelFacts::max_input, "The tokens of the longest prompt."),
          Facts("max_output", tokens, &ModelFacts::max_output, "The tokens of the longest answer."),
          Facts("prefill", Flag(), &ModelFacts::prefill,
                "Whether the model continues an answer that the caller has begun."),
          Facts("mid_system", Flag(), &ModelFacts::mid_system,
                "Whether system messages may come after the beginning."),
          Facts("images", Flag(), &ModelFacts::images, "Whether the model sees images."),
          Facts("forced_tools", Word<ForcedTools>(forced), &ModelFacts::forced_tools,
                "Whether the model can be made to call a tool."),
          Facts("tools_on_chat", Word<ToolsOnChat>(on_chat), &ModelFacts::tools_on_chat,
                "Whether the Chat endpoint takes function tools."),
          Facts("sampling", Word<SamplingSupport>(sampling), &ModelFacts::sampling,
                "Whether the model takes sampling parameters."),
          Facts("thinking", Strings(), &ModelFacts::thinking, "The styles of thinking."),
          Facts("effort", Strings(), &ModelFacts::effort, "The levels of effort."),
          Facts("effort_chat", Strings(), &ModelFacts::effort_chat,
                "The levels of effort on the Chat endpoint."),
          Facts("effort_responses", Strings(), &ModelFacts::effort_responses,
                "The levels of effort on the Responses endpoint."),
          Facts("tool_choice", Strings(), &ModelFacts::tool_choice,
                "The tool choices that are accepted while the model thinks."),
          Facts("refuses", Strings(), &ModelFacts::refuses, "Parameters that are refused."),
          Facts("temperature", bounds_of("temperature", &ModelFacts::temperature),
                "The bounds of the temperature."),
          Facts("wants_reasoning", Flag(), &ModelFacts::wants_reasoning,
                "Whether earlier reasoning must be sent back."),
          Facts("open_weights", Flag(), &ModelFacts::open_weights,
                "Whether many hosts serve the model, each with limits of its own."),
          Facts("temperature_fixed", Flag(), &ModelFacts::temperature_fixed,
                "Only one temperature is accepted, which depends on thinking."),
          Facts("stop", Refused(), &ModelFacts::refuses_stop, "Whether stop sequences are taken."),
          Facts("max_tokens", Refused(), &ModelFacts::refuses_max_tokens,
                "Whether Chat's `max_tokens` is taken."),
          Facts("encrypted", Refused(), &ModelFacts::refuses_encrypted,
                "Whether encrypted reasoning can be asked for."),
      });
  return keys;
}

const KeyTable<BackEnd>& back_end_keys() {
  static const auto words = protocol_words();
  static const KeyTable<BackEnd> keys(
      SectionRow("back_ends", "A service that speaks one protocol.").as_list(),
      {
          Key<BackEnd>("id", String(), &BackEnd::id, "Its name.").required().example(R"("codex")"),
          Key<BackEnd>("title", String(), &BackEnd::title, "Its name in words.")
              .example(R"("Codex")"),
          Key<BackEnd>("presets", Strings(), &BackEnd::presets, "The presets that stand for it.")
              .example(R"(["codex"])"),
          Key<BackEnd>("protocol", Word<Protocol>(words), &BackEnd::protocol, "Its protocol.")
              .required()
              .example(R"("openai_responses")"),
          Key<BackEnd>("base_url", String(), &BackEnd::base_url,
                       "Its address, with capital letters where the user's own part belongs.")
              .example(R"("https://api.openai.com/v1")"),
          Key<BackEnd>("model_in_path", Flag(), &BackEnd::model_in_path,
                       "The model stands in the path, with a verb (Vertex), and not in the body."),
          Key<BackEnd>("binds_account", Flag(), &BackEnd::binds_account,
                       "It refuses reasoning that was sealed for another account."),
          Key<BackEnd>("owner", Flag(), &BackEnd::owner,
                       "Its maker made the protocol: all that its own clients send passes."),
          Key<BackEnd>("request_headers", Strings(), &BackEnd::request_headers,
                       "Patterns of a client's headers that it gets.")
              .example(R"(["x-codex-*"])"),
          Key<BackEnd>("response_headers", Strings(), &BackEnd::response_headers,
                       "Patterns of its headers that a client gets.")
              .example(R"(["x-ratelimit-*"])"),
          Key<BackEnd>("rules", Strings(), &BackEnd::rule_ids, "The ids of its rules.")
              .example(R"(["codex.members"])"),
      });
  return keys;
}

const Schema& catalog_schema() {
  static const Schema schema(
      {rule_keys().section(), family_keys().section(), back_end_keys().section()});
  return schema;
}

}  // namespace detail
}  // namespace understudy::llm
