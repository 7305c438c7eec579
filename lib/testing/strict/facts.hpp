/// backends.json as the doubles read it: back ends with their rules, models, error forms.
///
/// Invariants
/// 1. Loading fails by an exception if a rule's check has no implementation or a pattern cannot be matched.
/// 2. What it hands out lives as long as the Facts.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "testing/strict/json.hpp"
#include "testing/strict/path.hpp"
#include "testing/strict/pattern.hpp"

namespace understudy::testing::strict {

class Asked;
struct Rule;

/// Where and how a request breaks a rule: what the placeholders of its message stand for.
struct Violation {
  std::string param;
  std::string value;
  std::string max;
  std::string min;
  std::string want;
  std::string values;
  std::string path;
  std::optional<std::size_t> index;
  std::optional<std::size_t> block;
  std::string message;  ///< if the rule's own does not fit
};

/// Finds the first place where a request breaks the rule.
using Check = std::optional<Violation> (*)(const Rule& rule, const Asked& asked);

/// Which protocol a back end speaks.
enum class Form : unsigned char { messages, chat, responses };

struct Rule {
  std::string_view id;
  Check check = nullptr;
  JsonObject data;
  Path path;
  std::optional<Pattern> pattern;
  /// The lists of strings among its members: `names`, `allow`, `types`, ...
  std::map<std::string_view, std::vector<std::string_view>> lists;
  bool documented = false;  ///< whether Strictness::documented enforces it

  const std::vector<std::string_view>& list(std::string_view name) const;
  std::string_view text(std::string_view name) const { return text_of(data, name); }
  bool flag(std::string_view name) const { return bool_of(member(data, name)).value_or(false); }
  std::optional<double> number(std::string_view name) const {
    return number_of(member(data, name));
  }
  /// `path`, then the names in `also`.
  std::vector<Path> paths() const;
};

/// The facts of a model family.
struct ModelFacts {
  std::regex match;
  std::vector<std::regex> reads;  ///< whose reasoning it reads besides its own
  JsonObject data;

  std::string_view text(std::string_view name) const { return text_of(data, name); }
  std::optional<bool> flag(std::string_view name) const { return bool_of(member(data, name)); }
  std::optional<double> number(std::string_view name) const {
    return number_of(member(data, name));
  }
  /// Nothing if the list is missing.
  std::optional<std::vector<std::string_view>> list(std::string_view name) const;
  /// The efforts at an endpoint: "messages", "chat" or "responses".
  std::optional<std::vector<std::string_view>> efforts(std::string_view endpoint) const;
  /// What its reasoning is bound to: "prefix", "account"; the value is true or "silent".
  bool bound(std::string_view to) const;
};

struct BackendFacts {
  std::string_view id;
  Form form = Form::chat;
  JsonObject data;
  std::vector<Rule> rules;
  /// Back ends that can read each other's reasoning have the same.
  std::string_view family;

  const Rule* rule_with(Check check) const;
};

/// See the top of the file.
class Facts {
 public:
  /// `json`: the text of a facts file.
  explicit Facts(std::string json);
  Facts(const Facts&) = delete;
  Facts& operator=(const Facts&) = delete;

  JsonObject root() const { return root_; }
  const std::vector<BackendFacts>& backends() const noexcept { return backends_; }

  /// Beyond this many bytes a model name is not looked up.
  static constexpr std::size_t longest_name = 256;
  std::string normalized(std::string_view model) const;
  /// nullptr: nothing is known of it.
  const ModelFacts* model(std::string_view name) const;

 private:
  struct Step {
    bool lower = false;
    bool repeat = false;
    bool global = false;
    std::regex replace;
    std::string with;
  };

  void read_steps();
  void read_models();
  void read_backends();

  std::string text_;
  simdjson::dom::parser parser_;
  JsonObject root_;
  std::vector<Step> steps_;
  std::vector<ModelFacts> models_;
  std::vector<BackendFacts> backends_;
};

std::vector<std::string_view> strings_of(std::optional<Json> list);
bool contains(const std::vector<std::string_view>& list, std::string_view word);

}  // namespace understudy::testing::strict
