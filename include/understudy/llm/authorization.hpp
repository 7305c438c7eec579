/// How a credential is sent to a provider.
#pragma once

namespace understudy::llm {

enum class Authorization : unsigned char {
  bearer,     ///< `authorization: Bearer ...`
  x_api_key,  ///< `x-api-key: ...`, Anthropic's
  api_key,    ///< `api-key: ...`, Azure's
};

}  // namespace understudy::llm
