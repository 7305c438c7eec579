#include "understudy/client/sessions.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <variant>

#include "understudy/llm/refused_part.hpp"

namespace understudy {
namespace {

constexpr std::size_t longest_beginning = std::size_t{64} * 1024;
constexpr std::size_t most_mends = 16;  // members of a conversation

/// SHA-256 of texts that are told apart from each other.
class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
  }

  Digest& add(std::string_view text) {
    const std::uint64_t size = text.size();
    EVP_DigestUpdate(context_.get(), &size, sizeof size);
    EVP_DigestUpdate(context_.get(), text.data(), text.size());
    return *this;
  }

  SessionHash hash() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    EVP_DigestFinal_ex(context_.get(), bytes.data(), nullptr);
    const auto word = [&](std::size_t at) {
      std::uint64_t value = 0;
      for (std::size_t i = 0; i < 8; ++i) {
        value = (value << 8U) | bytes[at + i];
      }
      return value;
    };
    return {word(0), word(8)};
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

/// The system text and the messages up to the first one of the user, which stay the same until an agent compacts.
SessionHash beginning_of(const llm::Request& request) {
  Digest digest;
  auto left = longest_beginning;
  const auto add = [&](std::string_view text) {
    digest.add(text.substr(0, left));
    left -= std::min(left, text.size());
  };
  for (const auto& part : request.system) {
    add(part.text);
  }
  for (const auto& message : request.messages) {
    for (const auto& part : message.parts) {
      if (const auto* const text = std::get_if<llm::TextPart>(&part)) {
        add(text->text);
      }
    }
    if (message.role == llm::Role::user || left == 0) {
      break;
    }
  }
  return digest.hash();
}

std::uint32_t hash_of(const std::string& text) {
  return static_cast<std::uint32_t>(std::hash<std::string>()(text)) | 1U;
}

}  // namespace

std::string SessionHash::text() const {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const auto word : {high, low}) {
    for (unsigned shift = 64; shift > 0; shift -= 4) {
      out += digits[(word >> (shift - 4)) & 15U];
    }
  }
  return out;
}

SessionKey SessionKey::of(const llm::Request& request, const SessionIdentity& identity,
                          std::string_view route) {
  SessionKey key;
  const auto beginning = beginning_of(request).text();
  const auto of_caller = [&](Digest& digest) -> Digest& {
    return digest.add(identity.caller).add(route).add(identity.session);
  };
  Digest session;
  of_caller(session);
  if (identity.session.empty()) {
    session.add(beginning);
  }
  key.session = session.hash();
  Digest conversation;
  of_caller(conversation).add(identity.agent).add(request.model).add(beginning);
  key.conversation = conversation.hash();
  key.begun = std::any_of(request.messages.begin(), request.messages.end(),
                          [](const auto& message) { return message.role == llm::Role::assistant; });
  return key;
}

SessionAdvice Sessions::advise(const SessionKey& key, Chain chain, ReturnWhen when,
                               Clock::time_point now) {
  SessionAdvice advice{std::move(chain), {}};
  const std::scoped_lock lock(mutex_);
  if (const auto* const pins = pins_.find(key.session, now)) {
    for (auto& member : advice.chain) {
      const auto provider = hash_of(member.provider());
      const auto pin = std::find_if(pins->begin(), pins->end(),
                                    [&](const Pin& one) { return one.provider == provider; });
      if (member.credentials() && pin != pins->end()) {
        member.with_credential_first(pin->index);
      }
    }
  }
  const auto* const conversation = conversations_.find(key.conversation, now);
  if (conversation == nullptr) {
    return advice;
  }
  for (auto& member : advice.chain) {
    if (!key.begun || !conversation->mends) {
      break;  // what was wrong with another first question says nothing about this one
    }
    for (const auto& known : *conversation->mends) {
      if (known.member == member.key_hash()) {
        member.with_mends(known.mends);
      }
    }
  }
  const auto& last = conversation->served.front();
  const auto& before = conversation->served.back();
  const auto serving =
      std::find_if(advice.chain.begin(), advice.chain.end(),
                   [&](const Member& member) { return member.key_hash() == last.member; });
  if (!key.begun || when == ReturnWhen::at_once || serving == advice.chain.end() ||
      serving == advice.chain.begin()) {
    return advice;
  }
  if (when == ReturnWhen::cold) {
    const auto first = advice.chain.front().key_hash();
    const bool warm = before.member == first && now - before.at < cache_lifetime;
    if (warm || now - last.at >= cache_lifetime) {
      return advice;
    }
    advice.why = "the conversation stays with " + serving->name() +
                 " until that has been idle for 5 minutes";
  } else {
    advice.why = "the conversation stays with " + serving->name() + " to its end";
  }
  std::rotate(advice.chain.begin(), serving, serving + 1);
  return advice;
}

void Sessions::served(const SessionKey& key, const Member& member, const CredentialUse* credential,
                      const ReasonSet& mends, const std::vector<std::string>& named_mends,
                      Clock::time_point now) {
  const std::scoped_lock lock(mutex_);
  if (credential != nullptr) {
    auto& pins = pins_.at(key.session, now);
    const auto provider = hash_of(member.provider());
    const auto place = std::find_if(pins.begin(), pins.end(), [&](const Pin& one) {
      return one.provider == provider || one.provider == 0;
    });
    if (place != pins.end()) {
      *place = {provider, static_cast<std::uint32_t>(credential->index)};
    }
  }
  auto& conversation = conversations_.at(key.conversation, now);
  auto& [last, before] = conversation.served;
  if (last.member != member.key_hash()) {
    before = std::exchange(last, Served{member.key_hash(), now});
  }
  last.at = now;
  std::vector<std::string> parts;
  // A value that was refused once is the client's to change.
  std::copy_if(named_mends.begin(), named_mends.end(), std::back_inserter(parts),
               [](const std::string& name) {
                 return llm::is_part_mend(name) && !name.starts_with("drop_value:");
               });
  if (mends.empty() && parts.empty()) {
    return;
  }
  if (!conversation.mends) {
    conversation.mends = std::make_unique<std::vector<Mends>>();
  }
  auto& all = *conversation.mends;
  auto found = std::make_shared<const MemberMends>(MemberMends{mends, std::move(parts)});
  const auto known = std::find_if(
      all.begin(), all.end(), [&](const Mends& one) { return one.member == member.key_hash(); });
  if (known != all.end()) {
    known->mends = std::move(found);
  } else if (all.size() < most_mends) {
    all.push_back({member.key_hash(), std::move(found)});
  }
}

std::size_t Sessions::size() const {
  const std::scoped_lock lock(mutex_);
  return conversations_.size();
}

}  // namespace understudy
