// `understudy catalog`: what is known about back ends and models, and from where.
#include "understudy/llm/catalog/catalog.hpp"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "command.hpp"

namespace understudy::tool {
namespace {

using llm::BackEnd;
using llm::BackEndRule;
using llm::Catalog;
using llm::ModelFacts;

struct Options {
  std::string back_end;
  std::string model;
  std::string file;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) {
    text.append(text.empty() ? "" : ", ").append(word);
  }
  return text;
}

std::string sources(llm::Confidence confidence, const std::vector<std::string>& source) {
  std::string text = "  [";
  return text.append(to_string(confidence)).append(": ").append(joined(source)).append("]\n");
}

void list_back_ends(const Catalog& catalog) {
  for (const auto& one : catalog.back_ends()) {
    if (!one.presets.empty()) {
      std::cout << one.id << "  " << to_string(one.protocol) << "  " << one.base_url << "\n    "
                << one.title << "; preset " << joined(one.presets) << "; "
                << std::count_if(one.rules.begin(), one.rules.end(),
                                 [](const BackEndRule* rule) { return rule->acts(); })
                << " rules that adjust requests, "
                << std::count_if(one.rules.begin(), one.rules.end(),
                                 [](const BackEndRule* rule) { return !rule->acts(); })
                << " that do not\n";
    }
  }
}

void print_rule(const BackEndRule& rule) {
  std::cout << "  " << rule.id << "  " << to_string(rule.check);
  if (!rule.path.empty()) {
    std::cout << " " << rule.path;
  }
  if (rule.min) {
    std::cout << " from " << *rule.min;
  }
  if (rule.max) {
    std::cout << " to " << *rule.max;
  }
  if (!rule.names.empty()) {
    std::cout << ": " << joined(rule.names);
  }
  std::cout << "\n    " << to_string(rule.effect) << ": " << rule.remedy
            << sources(rule.confidence, rule.source);
}

void print_back_end(const BackEnd& back_end) {
  std::cout << back_end.id << ": " << back_end.title << ", " << to_string(back_end.protocol) << ", "
            << back_end.base_url << "\n";
  for (const auto* const rule : back_end.rules) {
    print_rule(*rule);
  }
}

template <class T>
void fact(const char* name, const std::optional<T>& value) {
  if (value) {
    std::cout << "  " << name << ": " << *value << "\n";
  }
}

void print_model(const std::string& name, const ModelFacts& facts) {
  if (!facts.known()) {
    std::cout << name << ": nothing is known; requests are sent as they are\n";
    return;
  }
  std::cout << name << " (" << llm::normal_model_name(name) << "), of " << facts.maker
            << sources(facts.confidence, facts.source) << std::boolalpha;
  fact("context window", facts.context_window);
  fact("longest prompt", facts.max_input);
  fact("longest answer", facts.max_output);
  fact("continues a begun answer", facts.prefill);
  fact("system messages after the beginning", facts.mid_system);
  fact("images", facts.images);
  for (const auto protocol : llm::protocols) {
    if (const auto* const efforts = facts.efforts(protocol)) {
      std::cout << "  effort at " << to_string(protocol) << ": "
                << (efforts->empty() ? "none" : joined(*efforts)) << "\n";
    }
  }
  if (facts.thinking) {
    std::cout << "  thinking: " << joined(*facts.thinking) << "\n";
  }
}

int print(const Options& options) {
  const auto& catalog = Catalog::built_in();
  if (options.back_end.empty()) {
    list_back_ends(catalog);
    return done;
  }
  bool found = false;
  for (const auto& one : catalog.back_ends()) {
    const bool named =
        one.id == options.back_end ||
        std::find(one.presets.begin(), one.presets.end(), options.back_end) != one.presets.end();
    if (named) {
      found = true;
      print_back_end(one);
    }
  }
  if (!found) {
    std::cerr << "understudy catalog: no back end `" << options.back_end
              << "`: `understudy catalog` lists them\n";
    return bad_usage;
  }
  if (!options.model.empty()) {
    print_model(options.model, catalog.model(options.model));
  }
  return done;
}

int check_file(const Options& options) {
  std::ifstream in(options.file, std::ios::binary);
  if (!in) {
    std::cerr << "understudy catalog: " << options.file << " cannot be read\n";
    return bad_usage;
  }
  std::stringstream text;
  text << in.rdbuf();
  auto read = Catalog::read(text.str());
  if (auto* const errors = std::get_if<std::vector<text::SourceError>>(&read)) {
    std::cerr << to_string(text::SourceErrors{options.file, std::move(*errors)});
    return failed;
  }
  const auto& catalog = std::get<Catalog>(read);
  std::cout << options.file << ": valid: " << catalog.back_ends().size() << " back ends, "
            << catalog.families().size() << " families of models\n";
  return done;
}

}  // namespace

Command catalog_command(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto* const command = program.add_subcommand(
      "catalog", "Prints what is known about back ends and models, and from where.");
  command->add_option("BACK_END", options->back_end, "a back end or preset; none: all are listed");
  command->add_option("MODEL", options->model, "a model, under any of its names");
  auto* const check = command->add_subcommand("check", "Checks a catalog file.");
  check->add_option("FILE", options->file, "the file")->required();
  return {command,
          [options, check] { return check->parsed() ? check_file(*options) : print(*options); }};
}

}  // namespace understudy::tool
