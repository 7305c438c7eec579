#include "client/reached.hpp"

#include <set>
#include <string_view>

#include "llm/passed_headers.hpp"
#include "understudy/llm/endpoint.hpp"

namespace understudy::detail {
namespace {

std::string_view maker_of(llm::Protocol protocol) {
  return protocol == llm::Protocol::anthropic_messages ? "anthropic" : "openai";
}

}  // namespace

const llm::BackEnd* back_end_of(const llm::Catalog& catalog, const ProviderConfig& provider,
                                llm::Protocol protocol) {
  return catalog.back_end(provider.back_end.empty() ? provider.preset : provider.back_end,
                          protocol);
}

const llm::BackEnd* responses_back_end(const llm::Catalog& catalog,
                                       const ProviderConfig& provider) {
  const auto* const back_end = back_end_of(catalog, provider, llm::Protocol::openai_responses);
  const bool chosen = provider.protocol != llm::Protocol::openai_chat || provider.protocol_given;
  return back_end == nullptr || chosen || !llm::is_address_of(*back_end, provider.base_url)
             ? nullptr
             : back_end;
}

std::shared_ptr<const llm::ModelProfiles> profiles_of(const Config& config,
                                                      const llm::Catalog& catalog) {
  auto profiles = std::make_shared<llm::ModelProfiles>(catalog);
  for (const auto& [name, provider] : config.providers) {
    for (const auto& [model, known] : provider.models) {
      auto& profile = profiles->entry(name, model);
      if (!known.family.empty()) {
        profile = profiles->find(name, known.family);
        profile.family = known.family;
      }
      profile.context_window = known.context_window ? known.context_window : profile.context_window;
      profile.prefill = known.accepts_prefill;
      profile.accepts_prefill = known.accepts_prefill.value_or(profile.accepts_prefill);
      profile.reasoning_floor = known.reasoning_floor.value_or(profile.reasoning_floor);
    }
  }
  return profiles;
}

bool may_get_credential(const llm::BackEnd* back_end, llm::Protocol provider,
                        std::optional<llm::Protocol> protocol, std::string_view secret) {
  constexpr std::string_view anthropics = "sk-ant-";
  const bool elsewhere = back_end != nullptr && back_end->id != "anthropic";
  return (!protocol || llm::detail::same_family(*protocol, provider)) &&
         !(secret.starts_with(anthropics) && elsewhere);
}

Homes homes_of(const Chain& chain, const ReachedProviders& reached,
               const llm::ModelProfiles& profiles, const llm::Catalog& catalog) {
  Homes homes;
  std::set<llm::Protocol> made;  // protocols whose home is a model of their maker
  for (const auto& member : chain) {
    const auto found = reached.find(member.provider());
    if (found == reached.end()) {
      return {};
    }
    const auto& known = found->second;
    const auto family = profiles.find(member.provider(), member.model()).family;
    const auto& maker = catalog.model(family.empty() ? member.model() : family).maker;
    const auto add = [&](llm::Protocol protocol, const llm::HttpProvider& provider) {
      const bool own = maker == maker_of(protocol);
      if (homes.count(protocol) == 0 || (own && made.count(protocol) == 0)) {
        const auto& pool = member.credentials();
        // Of several accounts a seal has to say to which it is bound, so it is always carried.
        const bool bound = provider.binds_account() && pool && pool->size() > 1;
        homes[protocol] = bound ? llm::ReasoningOrigin() : provider.origin(member.model());
        if (own) {
          made.insert(protocol);
        }
      }
    };
    add(known.protocol, known.provider);
    if (known.responses) {
      add(llm::Protocol::openai_responses, *known.responses);
    }
  }
  for (const auto protocol : {llm::Protocol::anthropic_messages, llm::Protocol::openai_chat,
                              llm::Protocol::openai_responses}) {
    homes.try_emplace(protocol);  // none
  }
  return homes;
}

}  // namespace understudy::detail
