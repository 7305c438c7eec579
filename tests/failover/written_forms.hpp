/// A key as providers, proxies and programs write it into what they say.
#pragma once

#include <openssl/evp.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace written_forms {

class Form {
 public:
  std::string what;
  std::string text;
  std::size_t leading = 0;  ///< characters before it that hold nothing of the key
  std::size_t behind = 0;   ///< and after it

  /// What is to be left of it.
  std::string around(std::string_view instead) const {
    return text.substr(0, leading) + std::string(instead) + text.substr(text.size() - behind);
  }
};

/// Each character by a format with its code, or only those that are not letters, digits or `plain`.
inline std::string each(std::string_view key, const char* format, bool all) {
  std::string text;
  for (const char c : key) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter && !all) {
      text += c;
    } else {
      char written[16];
      std::snprintf(written, sizeof written, format, static_cast<unsigned char>(c));
      text += written;
    }
  }
  return text;
}

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

inline std::string html(std::string text) {
  text = replaced(text, "&", "&amp;");
  text = replaced(text, "<", "&lt;");
  text = replaced(text, ">", "&gt;");
  text = replaced(text, "\"", "&quot;");
  return replaced(text, "'", "&#39;");
}

inline std::string json(std::string text) {
  text = replaced(text, "\\", "\\\\");
  text = replaced(text, "\"", "\\\"");
  return replaced(text, "/", "\\/");
}

inline std::string base64(std::string_view bytes) {
  std::string out(bytes.size() / 3 * 4 + 8, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

inline std::string for_urls(std::string text) {
  return replaced(replaced(std::move(text), "+", "-"), "/", "_");
}

inline std::vector<Form> all(const std::string& key) {
  std::vector<Form> forms{
      {"as it is", key},
      {"percent, upper case, all", each(key, "%%%02X", true)},
      {"percent, lower case, all", each(key, "%%%02x", true)},
      {"percent, upper case, special", each(key, "%%%02X", false)},
      {"percent, lower case, special", each(key, "%%%02x", false)},
      {"percent twice", each(each(key, "%%%02X", false), "%%%02X", false)},
      {"hexadecimal, upper case", each(key, "%02X", true)},
      {"hexadecimal, lower case", each(key, "%02x", true)},
      {"HTML names", html(key)},
      {"HTML names twice", html(html(key))},
      {"HTML decimal, special", each(key, "&#%u;", false)},
      {"HTML decimal, all", each(key, "&#%u;", true)},
      {"HTML hexadecimal, special", each(key, "&#x%x;", false)},
      {"HTML hexadecimal, upper case, all", each(key, "&#x%02X;", true)},
      {"JSON", json(key)},
      {"JSON in JSON", json(json(key))},
      {"JSON code units, special", each(key, "\\u%04x", false)},
      {"JSON code units, upper case, all", each(key, "\\u%04X", true)},
      {"HTML in JSON", json(html(key))},
      {"C", each(key, "\\x%02x", true)},
  };
  // Behind `before`, each alignment; the characters that mix both are taken out too.
  for (const std::string before : {"", "u", "us", "user:1"}) {
    for (const std::string after : {"", "!", "!!", "!!!!"}) {
      const auto text = base64(before + key + after);
      const auto leading = before.size() * 8 / 6;
      const auto bits = (before.size() + key.size()) * 8;
      const auto held = (bits + 5) / 6;
      const auto padding = text.size() - text.find_last_not_of('=') - 1;
      const auto behind = after.empty() ? 0 : text.size() - held;
      const auto name = "base64, behind '" + before + "' and before '" + after + "'";
      // Of "xx==" the padding goes with the key where it follows it at once.
      const bool at_once = text.size() - padding == held;
      forms.push_back({name, text, leading, at_once ? 0 : behind});
      forms.push_back({name + ", for URLs", for_urls(text), leading, at_once ? 0 : behind});
    }
    const auto text = base64(before + key);
    if (before.empty()) {
      forms.push_back({"base64 in JSON", json(text)});
      forms.push_back({"base64, percent", each(text, "%%%02X", false)});
      forms.push_back({"hexadecimal, percent", each(each(key, "%02x", true), "%%%02X", true)});
      const auto bare = text.substr(0, text.find_last_not_of('=') + 1);
      forms.push_back({"base64 without padding", bare});
    }
  }
  return forms;
}

}  // namespace written_forms
