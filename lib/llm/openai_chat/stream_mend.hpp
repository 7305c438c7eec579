/// What is mended in a stream that is forwarded: understudy/llm/stream_mend.hpp.
#pragma once

#include <memory>

#include "understudy/llm/stream_mend.hpp"

namespace understudy::llm::detail::openai_chat {

std::unique_ptr<StreamMend> make_stream_mend(const ReasoningOrigin& origin);

}  // namespace understudy::llm::detail::openai_chat
