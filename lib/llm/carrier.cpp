#include "understudy/llm/carrier.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <utility>

#include "text/ascii.hpp"
#include "text/base64.hpp"
#include "text/parsed_json.hpp"
#include "text/utf8.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm {
namespace {

constexpr std::string_view mark = "us1.";
/// Four names of which every byte is escaped, and what is around them.
constexpr std::size_t longest_header = std::size_t{8} * 1024;

struct KindName {
  CarrierKind kind;
  std::string_view name;
};
constexpr std::array kind_names{
    KindName{CarrierKind::signature, "signature"},
    KindName{CarrierKind::thinking, "thinking"},
    KindName{CarrierKind::redacted, "redacted"},
    KindName{CarrierKind::encrypted, "encrypted"},
    KindName{CarrierKind::detail, "detail"},
    KindName{CarrierKind::call_signature, "call"},
    KindName{CarrierKind::unsigned_thinking, "unsigned"},
};

struct NameMember {
  std::string_view key;
  std::string Carrier::* member;
};
constexpr std::array name_members{
    NameMember{"maker", &Carrier::maker},
    NameMember{"provider", &Carrier::provider},
    NameMember{"model", &Carrier::model},
};

bool is_name(std::string_view text) {
  if (text.size() > longest_carrier_name) {
    return false;
  }
  while (!text.empty()) {
    const auto step = text::utf8_step(text);
    if (!step.valid) {
      return false;
    }
    text.remove_prefix(step.length);
  }
  return true;
}

bool is_account(std::string_view hash) { return hash.empty() || hash.size() == account_hash_size; }

bool fits(const Carrier& carrier) {
  return carrier.original.size() <= longest_original && is_account(carrier.account) &&
         std::all_of(name_members.begin(), name_members.end(),
                     [&](const NameMember& m) { return is_name(carrier.*m.member); });
}

/// nullptr, or why the header is not one.
const char* read_header(std::string_view text, Carrier& carrier) {
  const text::ParsedJson parsed(text);
  simdjson::dom::object header;
  if (parsed.root() == nullptr || parsed.root()->get(header) != simdjson::SUCCESS) {
    return "the header is not a JSON object";
  }
  for (const auto& [key, member] : name_members) {
    std::string_view name;
    if (header[key].get(name) == simdjson::SUCCESS) {
      carrier.*member = name;
    }
  }
  std::string_view account;
  if (header["account"].get(account) == simdjson::SUCCESS) {
    carrier.account = text::base64url_decoded(account);
  }
  std::string_view kind;
  if (header["kind"].get(kind) != simdjson::SUCCESS) {
    return "the header has no kind";
  }
  const auto* const known = std::find_if(kind_names.begin(), kind_names.end(),
                                         [&](const KindName& k) { return k.name == kind; });
  if (known == kind_names.end()) {
    return "the kind is unknown";
  }
  carrier.kind = known->kind;
  return nullptr;
}

}  // namespace

ReasoningOrigin Carrier::origin() const {
  ReasoningOrigin from(provider, model);
  from.maker = maker;
  from.account = account;
  return from;
}

bool reads(const ReasoningOrigin& reader, const Carrier& carrier) noexcept {
  if (carrier.kind == CarrierKind::unsigned_thinking) {
    // A maker that signs its reasoning refuses it without signature, such as after it was cut.
    return !carrier.provider.empty() && carrier.provider == reader.provider && reader.maker.empty();
  }
  return reads(reader, carrier.origin());
}

std::optional<std::string> write_carrier(const Carrier& carrier) {
  if (!fits(carrier)) {
    return std::nullopt;
  }
  std::string header;
  JsonWriter json(header);
  json.begin_object();
  for (const auto& [key, member] : name_members) {
    if (!(carrier.*member).empty()) {
      json.member(key, carrier.*member);
    }
  }
  if (!carrier.account.empty()) {
    json.member("account", text::base64url_encoded(carrier.account));
  }
  const auto* const kind = std::find_if(kind_names.begin(), kind_names.end(),
                                        [&](const KindName& k) { return k.kind == carrier.kind; });
  json.member("kind", kind->name).end_object();
  return std::string(mark) + text::base64url_encoded(header) + '.' + carrier.original;
}

std::string carrier_text(const Carrier& carrier) {
  auto text = write_carrier(carrier);
  return text ? std::move(*text)
              : *write_carrier(Carrier(CarrierKind::unsigned_thinking, ReasoningOrigin(), {}));
}

ReadCarrier read_carrier(std::string_view text) {
  if (!text.starts_with(mark)) {
    return ReadCarrier(is_carrier(text) ? "the version is unknown" : "the text is not a carrier");
  }
  text.remove_prefix(mark.size());
  const auto dot = text.substr(0, longest_header).find('.');
  if (dot == std::string_view::npos) {
    return ReadCarrier("the header has no end");
  }
  Carrier carrier;
  if (const char* const why = read_header(text::base64url_decoded(text.substr(0, dot)), carrier)) {
    return ReadCarrier(why);
  }
  if (text.size() - dot - 1 > longest_original) {
    return ReadCarrier("the original is too long");
  }
  carrier.original = text.substr(dot + 1);
  return fits(carrier) ? ReadCarrier(std::move(carrier))
                       : ReadCarrier("a member of the header is too long");
}

bool is_carrier(std::string_view text) noexcept {
  if (!text.starts_with("us")) {
    return false;
  }
  text.remove_prefix(2);
  const auto digits =
      std::min(static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), text::is_digit) -
                                        text.begin()),
               text.size());
  return digits > 0 && digits < text.size() && text[digits] == '.';
}

}  // namespace understudy::llm
