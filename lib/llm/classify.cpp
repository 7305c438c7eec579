#include "understudy/llm/classify.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "error_reader.hpp"
#include "error_words.hpp"
#include "patterns.hpp"
#include "understudy/llm/model_profile.hpp"

namespace understudy::llm {
namespace {

using Reason = FailoverReason;
using detail::any_of;
using detail::contains;
using detail::same_code;

// --- where a rule applies -------------------------------------------------------------------------

/// Classes of HTTP status, to be joined by `|`.
enum Where : unsigned {
  no_status = 1U << 0U,  ///< none, or one of success or redirection: wording and codes must tell
  s400 = 1U << 1U,
  s401 = 1U << 2U,
  s402 = 1U << 3U,
  s403 = 1U << 4U,
  s404 = 1U << 5U,
  s407 = 1U << 6U,
  s408 = 1U << 7U,
  s409 = 1U << 8U,
  s413 = 1U << 9U,
  s422 = 1U << 10U,
  s429 = 1U << 11U,
  transient_4xx = 1U << 12U,  ///< 424, 425, 499
  other_4xx = 1U << 13U,
  s500 = 1U << 14U,  ///< and 502
  s503 = 1U << 15U,  ///< and 529, 498
  s504 = 1U << 16U,  ///< and 522, 524
  other_5xx = 1U << 17U,
};
constexpr unsigned any_status = ~0U;
constexpr unsigned bad_request = no_status | s400 | s422;

unsigned where(int status) {
  switch (status) {
    case 400: return s400;
    case 401: return s401;
    case 402: return s402;
    case 403: return s403;
    case 404: return s404;
    case 407: return s407;
    case 408: return s408;
    case 409: return s409;
    case 413: return s413;
    case 422: return s422;
    case 429: return s429;
    case 424:                        // Bedrock's ModelError
    case 425:                        // too early: RFC 8470 asks for another try
    case 499: return transient_4xx;  // a gateway whose own client, or Gemini's CANCELLED
    case 498:                        // Groq: no flex capacity
    case 503:
    case 529: return s503;
    case 500:
    case 502: return s500;
    case 504:
    case 522:               // Cloudflare: connecting to the origin took too long
    case 524: return s504;  // Cloudflare: the origin's answer took too long
    default: return status < 400 ? no_status : status < 500 ? other_4xx : other_5xx;
  }
}

// --- facts ----------------------------------------------------------------------------------------

struct Facts {
  const ProviderError& error;
  detail::ErrorReading said;
  std::string provider;  // in normal form
  unsigned where;        // of HTTP's status, else of what the body, a code or a sentence says

  bool has_code(std::string_view patterns) const {
    return any_of(patterns, [&](std::string_view pattern) {
      return std::any_of(said.codes.begin(), said.codes.end(),
                         [&](const std::string& code) { return same_code(code, pattern); });
    });
  }
  bool has_words(std::string_view phrases) const { return contains(said.words, phrases); }
  std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : error.headers) {
      if (detail::normal_code(key) == detail::normal_code(name)) {
        return value;
      }
    }
    return {};
  }
};

/// What an error says of its status where HTTP says 200 or nothing: the events of a stream, and exceptions
/// that lost it. Tried in order, so that what is specific comes before what is not: OpenAI puts
/// `invalid_request_error` beside every code. Sources: protocols.md 2.4, 3.3, 5, 6.1, 6.2.
struct CodeStatus {
  int status;
  std::string_view codes;
};
constexpr std::array code_status{
    CodeStatus{401,
               "authentication_error | invalid_api_key | incorrect_api_key | unauthenticated | "
               "token_expired | invalid_authentication_error | unrecognized_client* | "
               "expired_token* | base_resp_1004"},
    CodeStatus{402, "billing_error | payment_required | base_resp_1008"},
    CodeStatus{403, "permission_error | permission_denied* | access_denied* | request_forbidden"},
    CodeStatus{404, "not_found_error | not_found | resource_not_found*"},
    CodeStatus{408, "request_timeout | model_timeout*"},
    CodeStatus{413, "request_too_large | payload_too_large"},
    CodeStatus{429,
               "rate_limit* | too_many_requests* | resource_exhausted | throttl* | "
               "tokens_per_minute* | requests_per_minute* | service_quota_exceeded* | "
               "usage_limit_reached | quota_exceeded | base_resp_1002 | base_resp_1041 | "
               "base_resp_2045 | base_resp_2056"},
    CodeStatus{503, "overloaded* | unavailable | service_unavailable* | model_not_ready*"},
    CodeStatus{504,
               "timeout_error | deadline_exceeded | gateway_timeout | api_timeout* | "
               "vector_store_timeout | base_resp_1001"},
    CodeStatus{500,
               "api_error | server_error | internal | internal_error | internal_server* | "
               "model_error* | model_stream_error* | finish_error | finish_abort | "
               "base_resp_1000 | base_resp_1024 | base_resp_1033"},
    CodeStatus{400,
               "invalid_request* | invalid_argument | failed_precondition | bad_request* | "
               "validation_exception | unprocessable_entity* | base_resp_1042 | base_resp_2013"},
};

int status_of_codes(const detail::ErrorReading& said) {
  for (const auto& [status, codes] : code_status) {
    for (const auto& code : said.codes) {
      if (any_of(codes, [&](std::string_view pattern) { return same_code(code, pattern); })) {
        return status;
      }
    }
  }
  return 0;
}

int status_of(const ProviderError& error, const detail::ErrorReading& said) {
  if (error.status >= 400 && error.status < 600) {
    return error.status;
  }
  return said.status != 0 ? said.status : status_of_codes(said);
}

// --- wordings that several rules share ------------------------------------------------------------

constexpr std::string_view billing_words =
    "insufficient credit* | insufficient balance | insufficient funds | insufficient quota | "
    "credit balance | account balance | credits exhausted | credits have been exhausted | "
    "out of credit* | requires available credits | no usable credits | "
    "used all available credits | have any credits | credits remaining | prepaid credits | "
    "top up your | payment required | billing hard limit | hard billing limit | "
    "exceeded your current quota | account is deactivated | plan does not include | "
    "out of extra usage | out of funds | balance depleted | not available on the free tier | "
    "model not supported on free tier | budget limit exceeded | budget has been exceeded | "
    "spending limit | spend limit | spend cap | your ... api usage limits | past due | "
    "unpaid invoice* | 余额不足 | 欠费 | 额度不足 | 请充值";
constexpr std::string_view rate_words =
    "rate limit* | ratelimit* | too many requests | throttl* | requests per minute | "
    "tokens per minute | tokens per min | requests per min | requests per day | "
    "tokens per day | resource exhausted | resourceexhausted | rate increased too quickly | "
    "too many concurrent requests | concurrency limit | service quota exceeded* | "
    "servicequotaexceeded* | please retry after | 请求过于频繁 | 频率过高 | 并发数过高 | 速率限制 "
    "| 限流 | 流量限制 | "
    "使用上限 | request limit | requests limit | token limit | tokens limit | daily limit | "
    "concurren* ... limit";
constexpr std::string_view rate_codes =
    "rate_limit* | too_many_requests* | resource_exhausted | throttl* | "
    "service_quota_exceeded* | requests_limit_exceeded | base_resp_1002 | base_resp_1041 | "
    "base_resp_2045 | base_resp_2056";
constexpr std::string_view limit_words =
    "usage limit* | quota | quotas | limit exceeded | limit reached | allowance | 额度 | 配额 | "
    "限额";
constexpr std::string_view other_limits =
    "token limit | context limit | memory limit | time limit | size limit | length limit";
constexpr std::string_view overload_words =
    "overloaded | over loaded | server overload | at capacity | over capacity | "
    "capacity exceeded | capacity temporarily exceeded | no capacity | insufficient capacity | "
    "too busy | server is busy | high traffic | high demand | temporarily unavailable | "
    "访问量过大 | 服务繁忙 | 系统繁忙 | 负载过高 | 过载";
constexpr std::string_view memory_words =
    "memory guard | memory limit exceeded | memory guard tier | dynamic ceiling | "
    "memory ceiling | available memory | out of memory | insufficient memory | "
    "prefill would require | predicted peak would | prefill safety cap | metal cap | "
    "more system memory";
constexpr std::string_view timeout_words =
    "timed out | timeout | time out | consecutive stale attempts | deadline exceeded | "
    "time limit exceeded | 超时";
/// That something is too long, said with a verb.
constexpr std::string_view overflow_words =
    "context length ... exceed* | context window ... exceed* | context size ... exceed* | "
    "context limit ... exceed* | exceed* ... context length | exceed* ... context window | "
    "exceed* ... context size | exceed* ... context limit | exceed* ... maximum context | "
    "exceed* ... max model len | exceed* ... maximum model length | exceed* ... token limit | "
    "token limit ... exceed* | token count ... exceed* | input tokens exceed* | "
    "exceed* ... input token* | input length ... exceed* | prompt length ... exceed* | "
    "prompt ... exceeds max length | input ... exceeds the limit | "
    "prompt ... exceeds the limit | prompt ... exceed* ... tokens | "
    "input ... exceed* ... tokens | prompt is too long | prompt too long | input is too long | "
    "input too long | conversation is too long | context is too long | context too long | "
    "context too large | too large for model | greater than the context length | "
    "longer than the maximum | too many tokens | too many input tokens | "
    "tokens in request more than max tokens | truncating input | max new tokens must be | "
    "context window is full | context is full | range of input length | 超过最大长度 | 超出 ... "
    "长度 | "
    "超过 ... 上下文 | 上下文长度 | 超长";
/// The same without: also found in advice.
constexpr std::string_view overflow_mentions =
    "context window | context length | context size | prompt length | maximum context | "
    "maximum prompt length | maximum number of tokens | maximum number of input tokens | "
    "max input token* | maximum allowed input length | maximum model length | max model len | "
    "reduce the length | reduce the prompt | reduce your prompt | slot context | n ctx slot | "
    "token limit";
/// Names under which one provider is configured; its codes are numbers [P].
constexpr std::string_view zhipu = "zai | z.ai | zhipu* | bigmodel | glm*";
/// Of pages that firewalls write (protocols.md 10.3).
constexpr std::string_view challenge_marks =
    "enable javascript and cookies to continue | cdn cgi/challenge platform | "
    "cf browser verification | challenge error text | cf chl*";
constexpr std::string_view block_marks =
    "you have been blocked | request was blocked | request has been blocked | "
    "request is blocked | request blocked | cf error details | attention required! | "
    "just a moment | requested url was rejected | web application firewall";
constexpr std::string_view validation_words =
    "unknown parameter* | unsupported parameter* | unrecognized request argument* | "
    "unrecognized parameter* | unsupported value | request validation failed | "
    "extra inputs are not permitted | unknown name";
constexpr std::string_view validation_codes =
    "unknown_parameter | unsupported_parameter | unsupported_value | invalid_value | "
    "invalid_type | missing_required_parameter | base_resp_1042";
constexpr std::string_view model_words =
    "not a valid model | invalid model | model not found | model identifier is invalid | "
    "model ... not found | models/ ... not found | model ... does not exist | "
    "deployment ... does not exist | model ... not exist | no such model | unknown model | "
    "unsupported model | model is not supported | no endpoints found for | "
    "no endpoints found that support | model ... is not available | "
    "model ... has been deprecated | model ... decommissioned | model ... retired | "
    "is no longer free | could not resolve the foundation model | 模型不存在";

// --- guards: what no pattern can say --------------------------------------------------------------

/// A conversation so long that a wordless 400 means: too long (protocols.md 10.3).
bool large_session(const ProviderError& error) {
  constexpr double fraction = 0.4;
  constexpr std::uint64_t small_window = 256'000;
  constexpr std::uint64_t many_tokens = 80'000;
  constexpr std::uint64_t many_messages = 80;
  return static_cast<double>(error.prompt_tokens) >
             static_cast<double>(error.context_window) * fraction ||
         (error.context_window <= small_window &&
          (error.prompt_tokens > many_tokens || error.messages > many_messages));
}

/// No word in it says what was wrong.
bool wordless(std::string_view words) {
  constexpr std::string_view empty_words =
      "error | code | bad | request | invalid | failed | http | status | provider | returned | "
      "upstream | an | the | unknown | occurred | null | none | api | message | type | param";
  while (!words.empty()) {
    const auto start = words.find_first_not_of(" \n\r\t.,:;!-{}'\"()0123456789");
    words.remove_prefix(std::min(start, words.size()));
    const auto word = words.substr(0, words.find_first_of(" \n\r\t.,:;!-{}'\"()"));
    if (!word.empty() && !any_of(empty_words, [&](std::string_view w) { return w == word; })) {
      return false;
    }
    words.remove_prefix(word.size());
  }
  return true;
}

bool wordless_and_large(const Facts& facts) {
  return wordless(facts.said.words) && large_session(facts.error);
}

bool empty_body(const Facts& facts) { return !facts.said.has_body && wordless(facts.said.words); }

bool is_page(const Facts& facts) { return !facts.said.markup.empty(); }

/// A page that asks for a browser, whatever its status.
bool challenge(const Facts& facts) {
  return !facts.header("cf-mitigated").empty() || contains(facts.said.markup, challenge_marks) ||
         facts.has_words(challenge_marks);
}

/// A page that a firewall or content network wrote, by what is in it or by who sent it.
bool block_page(const Facts& facts) {
  constexpr std::string_view writers =
      "cloudflare | cloudfront | akamai* | edgesuite.net | incapsula* | imperva | sucuri* | "
      "awselb*";
  return facts.has_words(block_marks) || contains(facts.said.markup, block_marks) ||
         contains(facts.said.markup, writers) ||
         (is_page(facts) && contains(detail::normal_words(facts.header("server"), 64), writers));
}

/// Something says that waiting helps: then a limit is one of time, not of money (protocols.md
/// 10.3).
bool passes_with_time(const Facts& facts) {
  constexpr std::string_view times =
      "try again in | try again later | try again at | try again shortly | try again soon | "
      "retry in | retry after | retry later | resets | will reset | reset at | reset in | "
      "reset after | reset on | available in | available again | please wait | "
      "requests remaining | periodic* | rolling window | hour window | day window | "
      "per minute | per second | per hour | 稍后 | 重试 | 重置";
  // These are in almost any sentence (protocols.md 10.3), and so in advice to pay.
  constexpr std::string_view hints = "try again | retry | retrying | wait | window";
  constexpr std::string_view advice =
      "upgrade* | add credits | add more | add funds | purchase | top up | buy | billing | "
      "context window | not retry";
  return facts.has_words(times) || (facts.has_words(hints) && !facts.has_words(advice)) ||
         facts.has_code("names_reset") || !facts.header("retry-after").empty() ||
         !facts.header("retry-after-ms").empty() || !facts.header("x-ratelimit-reset").empty();
}

/// Used up, and waiting does not help (protocols.md 10.3).
bool wall(const Facts& facts) {
  return (facts.has_code("usage_limit_reached | quota_exceeded") || facts.has_words(limit_words) ||
          facts.has_words(billing_words)) &&
         !facts.has_code("resource_exhausted | throttl*") && !passes_with_time(facts);
}

/// The provider's catalogue lists models as vendor/id, and a model that is known to the world was asked
/// for without its vendor (protocols.md 10.3).
bool vendor_missing(const Facts& facts) {
  const auto model = facts.error.model;
  return contains(facts.provider,
                  "nvidia | openrouter | nous | deepinfra | together* | hugging face | "
                  "huggingface | vercel") &&
         !model.empty() && model.find('/') == std::string_view::npos && known_family(model);
}

bool asked_to_retry(const Facts& facts) { return facts.header("x-should-retry") == "true"; }

bool failed_transport(const Facts& facts) { return facts.error.transport.failed(); }

// --- the rules ------------------------------------------------------------------------------------

/// A rule fits if its place does, one of its codes or words is there (if it has any), every condition
/// in `with` and `guard` holds, and nothing of `unless` is there. What is left out does not matter.
struct Rule {
  std::string_view name;
  Reason reason;
  unsigned where = any_status;
  std::string_view provider{};  ///< part of its name
  std::string_view codes{};
  std::string_view words{};
  std::string_view with{};    ///< words too, besides
  std::string_view unless{};  ///< words
  bool (*guard)(const Facts&) = nullptr;
};

// Sources in brackets: F = hermes' classifier (protocols.md 10), W = the section of
// protocols.md; D = failover.md 1.4; P = the provider's own documentation or captures of it.
constexpr Rule rules[] = {
    // 1. The way to the provider failed: nothing was said at all. [D 1.4; F]
    {.name = "certificate",
     .reason = Reason::ssl_cert_verification,
     .where = no_status,
     .words = "certificate verify failed | certificate verification failed | "
              "unable to get local issuer certificate | self signed certificate | "
              "certificate has expired | certificate is not valid | "
              "unable to verify the first certificate | hostname mismatch | unknown ca | "
              "certificate is not yet valid | unable to get issuer certificate"},
    {.name = "transport",
     .reason = Reason::connection,
     .where = no_status,
     .guard = failed_transport},
    {.name = "connect or disconnect",
     .reason = Reason::connection,
     .where = no_status,
     .words = "connection refused | econnrefused | no route to host | ehostunreach | "
              "network is unreachable | network unreachable | enetunreach | "
              "host is unreachable | name or service not known | "
              "temporary failure in name resolution | name resolution ... failed | "
              "failed to resolve | could not resolve host | nodename nor servname provided | "
              "getaddrinfo | enotfound | eai again | host not found | no such host | "
              "fetch failed | failed to fetch | upstream connect error | server disconnected | "
              "peer closed connection | connection reset | econnreset | "
              "connection was closed | connection closed | connection lost | "
              "connection aborted | connection error | connect error | network error | "
              "unexpected eof | end of file | incomplete chunked read | broken pipe | epipe | "
              "socket hang up | premature close | remote protocol error | read error | 网络错误 | "
              "连接失败"},
    {.name = "connecting took too long",  // the connect phase: never a timeout [D 1.4]
     .reason = Reason::connection,
     .where = no_status,
     .words = "connection timed out | connect timed out | connect timeout | "
              "connection timeout | timed out while connecting | timed out connecting | "
              "connect ... timed out | connection to ... timed out | etimedout | pool timeout",
     .unless = "read timed out | read timeout | reading"},
    {.name = "TLS",
     .reason = Reason::connection,
     .where = no_status,
     .words =
         "bad record mac | ssl alert | tls alert | ssl handshake failure | handshake failure | "
         "tlsv1 alert | sslv3 alert | [ssl: | ssl error | ssleof* | ssl zero return | "
         "ssl syscall | stream truncated | wrong version number"},

    // 2. Refused for what it says, whatever the status. [F; W 9.5]
    // Azure's filter broke: the prompt was not even looked at. [P]
    {.name = "content filter failed",
     .reason = Reason::server_error,
     .words = "content filter error | content filter service | content filter ... unavailable"},
    {.name = "content code",
     .reason = Reason::content_policy_blocked,
     .codes = "content_filter | content_filtered | content_policy_violation | cyber_policy | "
              "bio_policy | responsible_ai_policy_violation | data_inspection_failed | "
              "image_content_policy_violation | safety_check_failed | moderation_blocked | "
              "flagged_input | prompt_blocked | base_resp_1026 | base_resp_1027 | "
              "finish_content_filter | finish_safety | finish_prohibited_content | "
              "finish_blocklist | finish_spii | finish_recitation | finish_refusal | "
              "finish_content_filtered | finish_guardrail_intervened | censorship_blocked"},
    {.name = "content code, Zhipu",
     .reason = Reason::content_policy_blocked,
     .provider = zhipu,
     .codes = "1301"},
    {.name = "content words",
     .reason = Reason::content_policy_blocked,
     .words = "flagged for possible | trusted access for cyber | violates our usage polic* | "
              "violat* ... usage polic* | violat* ... content polic* | "
              "violat* ... usage guideline* | request was flagged | prompt was flagged | "
              "input was flagged | content was flagged | flagged by our safety | "
              "due to safety | safety system | content filter* | content management policy | "
              "responsible ai policy violation | responsibleaipolicyviolation | "
              "new sensitive | content exists risk | inappropriate content | "
              "considered high risk | 敏感内容 | 不安全 | 内容安全",
     .unless = "unknown parameter* | unsupported parameter* | unrecognized request argument*"},
    // At 400 the code also stands for a malformed one. [W 3.3, 9.5]
    {.name = "refused prompt, in a stream",
     .reason = Reason::content_policy_blocked,
     .where = no_status,
     .codes = "invalid_prompt",
     .unless = "request blocked"},
    {.name = "blocked account",
     .reason = Reason::provider_policy_blocked,
     .words = "blocked for a previous policy violation"},

    // 3. Replayed reasoning, and what only one kind of server says. [F]
    {.name = "masked replay, Codex",
     .reason = Reason::invalid_encrypted_content,
     .where = no_status | s400,
     .provider = "codex",
     .codes = "invalid_prompt",
     .with = "request blocked"},
    {.name = "content type, Codex",
     .reason = Reason::invalid_encrypted_content,
     .where = s400,
     .provider = "codex",
     .words = "unsupported content type"},
    {.name = "encrypted content",
     .reason = Reason::invalid_encrypted_content,
     .where = bad_request | s404,
     .codes = "invalid_encrypted_content | thinking_signature_invalid",
     .words = "invalid encrypted content | encrypted content ... could not be | "
              "items are not persisted"},
    {.name = "thinking signature",
     .reason = Reason::thinking_signature,
     .where = bad_request,
     .words = "signature | cannot be modified | must remain as they were",
     .with = "thinking | thought"},
    {.name = "long context tier",
     .reason = Reason::long_context_tier,
     .where = no_status | s429,
     .words = "extra usage",
     .with = "long context"},
    {.name = "long context header",
     .reason = Reason::oauth_long_context_beta_forbidden,
     .where = no_status | s400 | s403,
     .words = "long context beta ... not yet available | long context beta ... not available"},
    {.name = "grammar",
     .reason = Reason::llama_cpp_grammar_pattern,
     .where = bad_request | s500,
     .words = "error parsing grammar | failed to parse grammar | json schema to grammar | "
              "unable to generate parser ... template | regex lookaround",
     .unless = "no user query found"},
    {.name = "subscription, Grok",
     .reason = Reason::auth,
     .words = "active grok subscription | grok ... out of available resources | "
              "out of available resources ... grok"},

    // 4. A status that has one meaning. [F; W 2.4, 4.3, 7]
    {.name = "refresh token",
     .reason = Reason::auth_permanent,
     .where = no_status | s400 | s401 | s403,
     .codes = "refresh_token_* | invalid_grant | unauthorized_client | account_deactivated"},
    {.name = "model entitlement, LiteLLM",  // with 401 or 403 [P]
     .reason = Reason::model_entitlement,
     .codes = "*_model_access_denied"},
    {.name = "401", .reason = Reason::auth, .where = s401},
    {.name = "407", .reason = Reason::auth, .where = s407},
    {.name = "408", .reason = Reason::timeout, .where = s408},
    {.name = "413", .reason = Reason::payload_too_large, .where = s413},
    {.name = "gateway timeout", .reason = Reason::timeout, .where = s504},

    // 5. What a code settles, whatever else is said. [F; W 3.3, 4.3, 5; W 10.2]
    {.name = "quota per minute, Alibaba",  // there the code is that of a rate limit [P]
     .reason = Reason::rate_limit,
     .where = s429,
     .provider = "alibaba | dashscope | qwen* | aliyun",
     .codes = "insufficient_quota | throttling_allocation_quota | limit_requests",
     .unless = "free"},
    {.name = "upstream, OpenRouter",  // whatever is up with it, our own key is not [F; W 5.1]
     .reason = Reason::upstream_rate_limit,
     .where = s429,
     .codes = "names_upstream",
     .unless = overload_words},
    {.name = "billing code",
     .reason = Reason::billing,
     .codes =
         "insufficient_quota | billing_not_active | payment_required | insufficient_credits* | "
         "insufficient_balance* | no_usable_credits | balance_depleted | "
         "model_not_supported_on_free_tier | member_spend_cap_exceeded | "
         "personal-team-blocked:spending-limit | terminal_quota_exhausted | "
         "credit_balance_exhausted | organization_spend_limit_exceeded | "
         "organization_usage_limit_exceeded | project_spend_limit_exceeded | "
         "enforced_spend_limit_reached | usage_not_included | exceeded_current_quota_error | "
         "budget_exceeded | arrearage | *free_tier_only | openrouter_credits | "
         "openrouter_key_limit | base_resp_1008"},
    {.name = "billing code, Zhipu",
     .reason = Reason::billing,
     .provider = zhipu,
     .codes = "1113 | 1309"},
    {.name = "overload code, Zhipu",
     .reason = Reason::overloaded,
     .provider = zhipu,
     .codes = "1305 | 1312"},
    {.name = "model code, Zhipu",
     .reason = Reason::model_not_found,
     .provider = zhipu,
     .codes = "1211"},
    {.name = "entitlement code, Zhipu",
     .reason = Reason::model_entitlement,
     .provider = zhipu,
     .codes = "1220 | 1311"},
    {.name = "overflow code, Zhipu",
     .reason = Reason::context_overflow,
     .provider = zhipu,
     .codes = "1261"},
    {.name = "budget for now, OpenRouter",
     .reason = Reason::rate_limit,
     .codes = "openrouter_in_flight_budget | openrouter_free_tier_daily"},
    {.name = "shared capacity, OpenRouter",
     .reason = Reason::upstream_rate_limit,
     .codes = "openrouter_shared_capacity | upstream_provider_shared_pool"},
    {.name = "memory code",
     .reason = Reason::overloaded,
     .codes = "*prefill_memory_exceeded | *prefill_memory_aborted"},
    {.name = "overload code",
     .reason = Reason::overloaded,
     .codes = "overloaded* | *_is_overloaded | engine_overloaded* | model_overloaded | "
              "server_overloaded | capacity_exceeded | *_capacity_exceeded | "
              "model_capacity_exhausted | queue_exceeded | model_not_ready* | "
              "upstream_unavailable | finish_insufficient_system_resource | "
              "insufficient_system_resource"},
    {.name = "slow down",  // at 429 a rate limit [W 3.3, 4.3]
     .reason = Reason::overloaded,
     .where = ~s429,
     .codes = "slow_down"},
    {.name = "context code",
     .reason = Reason::context_overflow,
     .codes = "context_length_exceeded | max_tokens_exceeded | exceed_context_size* | "
              "context_window_exceeded | finish_model_context_window_exceeded | "
              "prompt_too_long | input_too_long | token_limit_exceeded | base_resp_1039"},
    {.name = "model code",
     .reason = Reason::model_not_found,
     .where = no_status | s400 | s403 | s404 | s422 | other_4xx,
     .codes = "model_not_found* | model_not_available | invalid_model | unknown_model | "
              "unsupported_model | model_not_supported | deployment_not_found"},
    {.name = "parameter from the server",  // put in by Codex' own proxy [F]
     .reason = Reason::server_error,
     .where = no_status | s400 | s500,
     .words = "prompt cache retention ... not supported | "
              "prompt cache retention ... unsupported | "
              "unsupported ... prompt cache retention | unknown ... prompt cache retention | "
              "unrecognized ... prompt cache retention | prompt cache retention ... unknown",
     .guard =
         [](const Facts& facts) {
           return !contains(facts.provider, "meta | muse | msl | model api | bedrock | mantle");
         }},

    // 6. The request itself. [F]
    {.name = "tool content, by code of the schema",
     .reason = Reason::multimodal_tool_content_unsupported,
     .where = bad_request,
     .words = "text is not set | tool message content must be a string | "
              "tool content must be a string | tool message must be a string | "
              "expected string, got list | expected string, got array | "
              "tool call.content must be string | tool.content.str | "
              "chat completion request tool message content | "
              "chatcompletionrequesttoolmessagecontent"},
    {.name = "tool content, by type",
     .reason = Reason::multimodal_tool_content_unsupported,
     .where = bad_request,
     .words = "input should be a valid string",
     .with = "tool | tools | content"},
    {.name = "corrupt image",
     .reason = Reason::image_corrupt,
     .where = bad_request,
     .codes = "invalid_image* | invalid_base64_image | image_too_small | image_parse_error | "
              "unsupported_image_media_type | empty_image_file | failed_to_download_image | "
              "image_file_not_found",
     .words = "invalid png image | invalid jpeg image | invalid image data | "
              "image cannot be decoded | base64 string of provided image | "
              "valid jpg, png, webp, or ico image | could not process image | "
              "unable to process input image | cannot identify image file | "
              "failed to decode image | image ... could not be decoded | "
              "not represent a valid image | unsupported image format | "
              "uploaded an unsupported image"},
    {.name = "large image",
     .reason = Reason::image_too_large,
     .where = bad_request,
     .codes = "image_too_large | image_file_too_large",
     .words = "image exceeds | image too large | image is too large | image size exceeds | "
              "image dimensions exceed | dimensions exceed max allowed size | "
              "max allowed size: 8000 | media exceeds | media too large | "
              "patches after processing | make sure your payload is below | "
              "stream read constraints.get max string length | "
              "streamreadconstraints.getmaxstringlength"},
    {.name = "model entitlement",
     .reason = Reason::model_entitlement,
     .where = no_status | s400 | s403,
     .words = "not supported when using codex with a chatgpt account | access to the model | "
              "access to model | access to this model"},
    {.name = "mandatory reasoning",
     .reason = Reason::reasoning_mandatory,
     .where = bad_request,
     .words = "reasoning is mandatory | thinking is mandatory | reasoning cannot be disabled | "
              "thinking cannot be disabled | cannot disable reasoning | "
              "cannot disable thinking | only works in thinking mode"},
    {.name = "mandatory reasoning, by its value",
     .reason = Reason::reasoning_mandatory,
     .where = bad_request,
     .words = "'none' is not supported | does not support 'none' | does not support none",
     .with = "reasoning | effort"},
    {.name = "tool arguments",
     .reason = Reason::format_error,
     .where = bad_request | s500,
     .words = "invalid tool call arguments | invalid tool calls arguments | "
              "invalid function call arguments | tool call arguments are invalid | "
              "function call arguments are invalid"},
    {.name = "roles",  // llama.cpp sends its templates' refusals with 500 [P]
     .reason = Reason::role_alternation,
     .where = bad_request | s500,
     .words = "roles must alternate | role must alternate | must alternate between | "
              "consecutive user messages | consecutive messages with the same role | "
              "consecutive messages of the same role | same role in a row | "
              "multiple user messages in a row | adjacent messages with the same role | "
              "unexpected role ... after role | expected last role"},
    {.name = "validation",
     .reason = Reason::format_error,
     .where = bad_request | s500,
     .codes = validation_codes,
     .words = validation_words},
    {.name = "long field",
     .reason = Reason::payload_too_large,
     .where = s400,
     .codes = "string_above_max_length",
     .with = "content': string too long | content'. string too long"},
    {.name = "empty or lacking content",
     .reason = Reason::format_error,
     .where = bad_request | s500,
     .codes = "invalid_request_body | string_above_max_length",
     .words = "must have non empty content | messages must have non empty | "
              "text content blocks must be non empty | content field is required | "
              "at least one message is required | no user query found"},
    // At 400 OpenAI puts the type beside real overflows. [F]
    {.name = "invalid request, relayed",
     .reason = Reason::format_error,
     .where = s500,
     .codes = "invalid_request_error",
     .words = "invalid request error"},
    {.name = "prompt template",
     .reason = Reason::format_error,
     .where = no_status,
     .words = "error rendering | rendering prompt | jinja template | jinja render*"},

    // 7. Firewalls. [F; W 4.3]
    {.name = "challenge page",
     .reason = Reason::upstream_blocked,
     .where = no_status | s403 | s503,
     .guard = challenge},
    {.name = "block page", .reason = Reason::upstream_blocked, .where = s403, .guard = block_page},
    {.name = "block page, other status",  // Alibaba's firewall: 405; others 406
     .reason = Reason::upstream_blocked,
     .where = other_4xx,
     .words = block_marks,
     .guard = is_page},

    // 8. Money, where the status allows it. [F]
    {.name = "402, for now",
     .reason = Reason::rate_limit,
     .where = s402,
     .words = limit_words,
     .unless = "insufficient | credit balance | out of funds",
     .guard = passes_with_time},
    {.name = "402", .reason = Reason::billing, .where = s402},
    {.name = "403, money",
     .reason = Reason::billing,
     .where = s403,
     .words = "key limit exceeded | monthly limit | total limit"},
    {.name = "money",
     .reason = Reason::billing,
     .where = s403 | s404 | other_4xx,
     .words = billing_words},

    // 9. 403 and 404. [F]
    {.name = "403, rate",  // GitHub's, and Google's old codes [P]
     .reason = Reason::rate_limit,
     .where = s403,
     .codes = rate_codes,
     .words = "rate limit exceeded | secondary rate limit | too many requests"},
    {.name = "account policy",
     .reason = Reason::provider_policy_blocked,
     .where = no_status | s400 | s403 | s404,
     .words = "no endpoints available matching your | no endpoints found matching your | "
              "no allowed providers are available"},
    {.name = "403", .reason = Reason::auth, .where = s403},
    {.name = "404, model", .reason = Reason::model_not_found, .where = s404, .words = model_words},
    {.name = "404, Anthropic's form",
     .reason = Reason::model_not_found,
     .where = s404,
     .codes = "not_found_error",
     .words = "model: *"},
    {.name = "404, nothing else to miss",  // a chat endpoint names nothing but the model
     .reason = Reason::model_not_found,
     .where = s404,
     .words = "does not exist",
     .unless =
         "file | thread | item | response | conversation | assistant | endpoint | url | path | "
         "route | page | tool call*"},
    {.name = "404, vendor missing",
     .reason = Reason::model_not_found,
     .where = s404,
     .guard = vendor_missing},
    {.name = "404", .reason = Reason::unknown, .where = s404},  // a wrong path is no missing model

    // 10. 429. [F; W 3.3, 5.1, 6.1]
    {.name = "429, overload", .reason = Reason::overloaded, .where = s429, .words = overload_words},
    {.name = "429, upstream",
     .reason = Reason::upstream_rate_limit,
     .where = s429,
     .words = "rate limited upstream | provider returned error"},
    {.name = "429, wall",
     .reason = Reason::billing,
     .where = s429,
     .unless = rate_words,
     .guard = wall},
    {.name = "429", .reason = Reason::rate_limit, .where = s429},

    // 11. The provider's own trouble. [F; D 1.4]
    {.name = "empty answers",
     .reason = Reason::server_error,
     .where = no_status | s400 | s500 | s503,
     .words = "returned an empty response | empty response despite retries | "
              "model returning empty responses | empty response stream"},
    {.name = "memory",
     .reason = Reason::overloaded,
     .where = no_status | s400 | s500 | s503,
     .words = memory_words},
    {.name = "overflow",
     .reason = Reason::context_overflow,
     .where = s500 | s503 | s400 | s422,
     .words = overflow_words,
     .unless = "throttl* | too many requests | rate limit of"},
    {.name = "overload",
     .reason = Reason::overloaded,
     .where = no_status | s400 | other_4xx,
     .words = overload_words},
    {.name = "overload, relayed",
     .reason = Reason::overloaded,
     .where = s500,
     .words = "overloaded | server overload | at capacity"},
    {.name = "overflow, mentioned by a relay",
     .reason = Reason::context_overflow,
     .where = s500,
     .words = overflow_mentions,
     .unless = timeout_words},
    {.name = "rate code, relayed",
     .reason = Reason::rate_limit,
     .where = s500,
     .codes = rate_codes},
    {.name = "503", .reason = Reason::overloaded, .where = s503},
    {.name = "500", .reason = Reason::server_error, .where = s500 | other_5xx | transient_4xx},
    {.name = "conflict",  // only Anthropic names it, as a thing to retry [W 2.4]
     .reason = Reason::server_error,
     .where = s409,
     .codes = "conflict_error"},
    {.name = "retry asked for",
     .reason = Reason::server_error,
     .where = s409 | other_4xx,
     .guard = asked_to_retry},

    // 12. 400, and errors without a status. Money before rates, and a stall before advice. [F]
    {.name = "API key",  // Gemini and xAI say it with 400 [W 6.1]
     .reason = Reason::auth,
     .where = no_status | s400,
     .codes = "api_key_invalid | api_key_expired | invalid_api_key",
     .words = "api key not valid | incorrect api key | invalid api key | api key expired | "
              "location is not supported"},
    {.name = "payload",
     .reason = Reason::payload_too_large,
     .where = bad_request,
     .words = "request entity too large | payload too large | request too large | "
              "request exceeds the maximum size"},
    {.name = "limit, for now",
     .reason = Reason::rate_limit,
     .where = no_status,
     .words = "usage limit* | quota ... exceed* | exceed* ... quota | quota ... exhausted | "
              "quota ... reached | limit exceeded | limit reached | 额度 | 配额",
     .unless = other_limits,
     .guard = passes_with_time},
    {.name = "money, in words",
     .reason = Reason::billing,
     .where = no_status | s400,
     .words = billing_words},
    {.name = "throttled",
     .reason = Reason::rate_limit,
     .where = no_status | s400 | s422,
     .codes = rate_codes,
     .words = rate_words,
     .unless = "token limit"},
    {.name = "overflow, unless throttled",
     .reason = Reason::context_overflow,
     .where = bad_request,
     .words = overflow_words},
    {.name = "stalled",
     .reason = Reason::timeout,
     .where = no_status,
     .codes = "*timeout*",
     .words = timeout_words},
    {.name = "limit",
     .reason = Reason::billing,
     .where = no_status,
     .words = "usage limit* | quota ... exceed* | exceed* ... quota | quota ... exhausted | "
              "quota ... reached | limit exceeded | 额度 | 配额",
     .unless = other_limits},
    {.name = "overflow, mentioned",
     .reason = Reason::context_overflow,
     .where = bad_request,
     .words = overflow_mentions},
    {.name = "empty 400, Cerebras",  // its overflow [W 9.5]
     .reason = Reason::context_overflow,
     .where = s400,
     .provider = "cerebras",
     .guard = empty_body},
    {.name = "model",
     .reason = Reason::model_not_found,
     .where = no_status | s400 | s422,
     .words = model_words},
    {.name = "try again in a while",
     .reason = Reason::rate_limit,
     .where = no_status | s400,
     .words = "try again in"},
    {.name = "credential",
     .reason = Reason::auth,
     .where = no_status,
     .words = "gateway auth failed | authentication | unauthorized | unauthenticated | "
              "forbidden | invalid token | token expired | token revoked | access denied | "
              "permission denied | failed to extract account id | "
              "failed to extract accountid | 认证失败 | 身份验证失败 | 鉴权失败",
     .unless = "authentication service | authentication server | extra inputs | extra fields"},

    // 13. What is left.
    {.name = "wordless, large",
     .reason = Reason::context_overflow,
     .where = s400,
     .guard = wordless_and_large},
    {.name = "4xx", .reason = Reason::format_error, .where = s400 | s409 | s422 | other_4xx},
    {.name = "malformed call",  // Gemini's; retrying helps [W 6.1]
     .reason = Reason::malformed_response,
     .where = no_status,
     .codes = "finish_malformed* | finish_unexpected_tool_call"},
    {.name = "page", .reason = Reason::malformed_response, .where = no_status, .guard = is_page},
    {.name = "none", .reason = Reason::unknown},
};

static_assert(std::all_of(std::begin(rules), std::end(rules),
                          [](const Rule& rule) {
                            return detail::well_written(rule.words) &&
                                   detail::well_written(rule.with) &&
                                   detail::well_written(rule.unless);
                          }),
              "wording that is not in normal form is never found");
static_assert(std::end(rules)[-1].where == any_status, "some rule must always fit");

bool fits(const Rule& rule, const Facts& facts) {
  if ((rule.where & facts.where) == 0 ||
      (!rule.provider.empty() && !contains(facts.provider, rule.provider))) {
    return false;
  }
  const bool by_nothing = rule.codes.empty() && rule.words.empty();
  return (by_nothing || facts.has_code(rule.codes) || facts.has_words(rule.words)) &&
         (rule.with.empty() || facts.has_words(rule.with)) && !facts.has_words(rule.unless) &&
         (rule.guard == nullptr || rule.guard(facts));
}

/// For people: one line, valid UTF-8, bounded.
std::string shown(std::string_view text) {
  const bool cut = text.size() > classify_message_limit;
  text = text.substr(0, classify_message_limit);
  while (cut && !text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) {
    text.remove_suffix(1);
  }
  text.remove_suffix(cut && !text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0U ? 1
                                                                                              : 0);
  std::string line(text);
  const bool valid = simdjson::validate_utf8(line.data(), line.size());
  for (char& c : line) {
    const auto byte = static_cast<unsigned char>(c);
    c = byte < 0x20 || byte == 0x7F ? ' ' : byte >= 0x80 && !valid ? '?' : c;
  }
  return line;
}

std::optional<Clock::duration> wait_asked_for(const Facts& facts,
                                              std::chrono::system_clock::time_point now) {
  std::vector<llm::HeaderField> headers(facts.error.headers.begin(), facts.error.headers.end());
  headers.insert(headers.end(), facts.said.headers.begin(), facts.said.headers.end());
  const auto body = facts.error.body.substr(0, llm::retry_after_body_limit);
  return llm::retry_after(headers, facts.said.said + facts.said.nested + std::string(body), now);
}

}  // namespace

Classified classify(const ProviderError& error, std::chrono::system_clock::time_point now) {
  auto said = detail::read_error(error);
  const int status = status_of(error, said);
  const Facts facts{error, std::move(said), detail::normal_words(error.provider, 64),
                    where(status)};
  const Rule& rule = *std::find_if(std::begin(rules), std::end(rules),
                                   [&](const Rule& r) { return fits(r, facts); });

  // A reason of ours is no error to look at: somebody below has judged it already.
  const auto judged = facts.where == no_status ? reason_of(error.transport) : std::nullopt;

  Classified result;
  result.reason = judged.value_or(rule.reason);
  result.rule = judged ? std::string_view("judged already") : rule.name;
  result.retry_after = wait_asked_for(facts, now);
  result.message =
      shown(facts.said.shown.empty() && status != 0 ? "HTTP status " + std::to_string(status)
                                                    : facts.said.shown);
  result.billing_unverified =
      rule.reason == Reason::billing && facts.has_words("out of extra usage");
  return result;
}

}  // namespace understudy::llm
