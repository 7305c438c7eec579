/// Which endpoint of a host gets a request, where the host serves both Chat and Responses.
///
/// Invariants
/// 1. A request goes to the endpoint of its own protocol, unless the catalog knows that the model cannot do there what is
///    asked: OpenAI's reasoning models refuse tools on Chat, or take them only without reasoning.
/// 2. What only Chat has, several answers (`n`) and log probabilities, is asked of Chat.
/// 3. Only a host that the catalog lists is known to serve Responses.
///
///     const auto& facts = Catalog::built_in().model("gpt-6-sol");
///     const bool by_responses = endpoint_for(request, facts) == Protocol::openai_responses;
#pragma once

#include "understudy/export.hpp"
#include "understudy/llm/catalog/catalog.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/llm/request.hpp"
#include "understudy/net/url.hpp"

namespace understudy::llm {

/// Returns `openai_chat` or `openai_responses`. `facts`: of the model that is asked. Threads: any.
UNDERSTUDY_API Protocol endpoint_for(const Request& request, const ModelFacts& facts);

/// Returns whether `url` is the address of the back end: the same scheme, host and path. Capital letters in the back
/// end's address stand for the user's own part. Threads: any.
UNDERSTUDY_API bool is_address_of(const BackEnd& back_end, const Url& url);

}  // namespace understudy::llm
