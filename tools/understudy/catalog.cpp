// `understudy catalog`: what is known about back ends and models, and from where.
#include "understudy/llm/catalog/catalog.hpp"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "catalog_probe.hpp"
#include "command.hpp"
#include "understudy/client/config.hpp"
#include "understudy/client/configured_catalog.hpp"

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
  std::string config;
};

/// Where it is from, unless it is built in.
std::string origin_of(const std::string& file) { return file.empty() ? "built in" : file; }

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) {
    text.append(text.empty() ? "" : ", ").append(word);
  }
  return text;
}

template <class Known>  // a rule, or facts about a model
std::string sources(const Known& known) {
  std::string text = "  [" + origin_of(known.origin) + "; ";
  text.append(to_string(known.confidence));
  return text.append(known.source.empty() ? "" : ": ").append(joined(known.source)).append("]\n");
}

void list_back_ends(const Catalog& catalog) {
  for (const auto& one : catalog.back_ends()) {
    if (!one.presets.empty() || !one.origin.empty()) {
      std::cout << one.id << "  " << to_string(one.protocol) << "  " << one.base_url << "\n    "
                << one.title << (one.presets.empty() ? "" : "; preset ") << joined(one.presets)
                << (one.origin.empty() ? "" : "; " + one.origin) << "; "
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
  std::cout << "\n    " << to_string(rule.effect) << ": " << rule.remedy << sources(rule);
}

void print_back_end(const BackEnd& back_end) {
  std::cout << back_end.id << ": " << back_end.title << ", " << to_string(back_end.protocol) << ", "
            << back_end.base_url << "\n  " << origin_of(back_end.origin) << "\n";
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
            << sources(facts) << std::boolalpha;
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

/// What is asked for: a back end or preset, or a provider of the configuration, which is one of them.
struct Asked {
  std::string back_end;
  std::optional<llm::Protocol> protocol;  // none: any
  std::string model;
  const ModelConfig* corrections = nullptr;
};

Asked asked(const Options& options, const Config* config) {
  Asked asked{options.back_end, std::nullopt, options.model};
  const auto found = config == nullptr ? std::map<std::string, ProviderConfig>::const_iterator()
                                       : config->providers.find(options.back_end);
  if (config == nullptr || found == config->providers.end()) {
    return asked;
  }
  const auto& provider = found->second;
  asked.back_end = provider.back_end.empty() ? provider.preset : provider.back_end;
  asked.protocol = provider.protocol;
  if (const auto model = provider.models.find(options.model); model != provider.models.end()) {
    asked.corrections = &model->second;
    asked.model = model->second.family.empty() ? asked.model : model->second.family;
  }
  return asked;
}

void print_corrections(const ModelConfig& model, const std::string& file) {
  std::cout << "  " << file << ":\n" << std::boolalpha;
  fact("family", model.family.empty() ? std::nullopt : std::optional(model.family));
  fact("context window", model.context_window);
  fact("continues a begun answer", model.accepts_prefill);
}

int print(const Catalog& catalog, const Options& options, const Config* config) {
  if (options.back_end.empty()) {
    list_back_ends(catalog);
    return done;
  }
  const auto wanted = asked(options, config);
  bool found = false;
  for (const auto& one : catalog.back_ends()) {
    const bool named =
        one.id == wanted.back_end ||
        std::find(one.presets.begin(), one.presets.end(), wanted.back_end) != one.presets.end();
    if (named && one.protocol == wanted.protocol.value_or(one.protocol)) {
      found = true;
      print_back_end(one);
    }
  }
  if (!found && wanted.protocol) {
    std::cout << options.back_end << ": a server that is not known, " << to_string(*wanted.protocol)
              << "\n";
    print_back_end(catalog.unknown(*wanted.protocol));
  } else if (!found) {
    std::cerr << "understudy catalog: no back end `" << options.back_end
              << "`: `understudy catalog` lists them\n";
    return bad_usage;
  }
  if (!options.model.empty()) {
    print_model(wanted.model, catalog.model(wanted.model));
  }
  if (wanted.corrections != nullptr) {
    print_corrections(*wanted.corrections, config->file);
  }
  return done;
}

int print(const Options& options) {
  if (options.config.empty()) {
    return print(Catalog::built_in(), options, nullptr);
  }
  const auto config = load_config(options.config);
  if (config.has_error()) {
    std::cerr << to_string(config.error()) << "\n";
    return failed;
  }
  const auto catalog = configured_catalog(*config);
  if (catalog.has_error()) {
    std::cerr << to_string(catalog.error()) << "\n";
    return failed;
  }
  return print(**catalog, options, &*config);
}

int check_file(const Options& options) {
  std::ifstream in(options.file, std::ios::binary);
  if (!in) {
    std::cerr << "understudy catalog: " << options.file << " cannot be read\n";
    return bad_usage;
  }
  std::stringstream text;
  text << in.rdbuf();
  auto catalog = Catalog::built_in();
  if (auto errors = catalog.add(text.str(), options.file); !errors.empty()) {
    std::cerr << to_string(text::SourceErrors{options.file, std::move(errors)}) << "\n";
    return failed;
  }
  const auto own = [&](const auto& all) {
    return std::count_if(all.begin(), all.end(),
                         [](const auto& one) { return !one.origin.empty(); });
  };
  std::cout << options.file << ": valid: " << own(catalog.back_ends()) << " back ends, "
            << own(catalog.families()) << " families of models\n";
  return done;
}

}  // namespace

Command catalog_command(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto* const command = program.add_subcommand(
      "catalog", "Prints what is known about back ends and models, and from where.");
  command->add_option("BACK_END", options->back_end,
                      "a back end or preset, or with --config a provider; none: all are listed");
  command->add_option("MODEL", options->model, "a model, under any of its names");
  command->add_option("--config", options->config,
                      "a configuration, whose [catalog] and [providers] count too");
  auto* const check = command->add_subcommand("check", "Checks a catalog file.");
  check->add_option("FILE", options->file, "the file")->required();
  auto* const probe = command->add_subcommand(
      "probe",
      "Asks a provider which members of a request it accepts, with your own key, and prints the "
      "rules that\nare not in the catalog as a file for [catalog]. Some 15 short requests, which "
      "cost some "
      "tokens.");
  probe->add_option("PROVIDER", options->back_end, "a provider of the configuration")->required();
  probe->add_option("--config", options->config, "TOML, see examples/understudy.toml")->required();
  probe->add_option("--model", options->model, "default: the first one of a chain");
  return {command, [options, check, probe] {
            return check->parsed() ? check_file(*options)
                   : probe->parsed()
                       ? probe_provider(options->config, options->back_end, options->model)
                       : print(*options);
          }};
}

}  // namespace understudy::tool
