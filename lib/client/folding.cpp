#include "folding.hpp"

#include <algorithm>
#include <numeric>
#include <span>

#include "text/utf8.hpp"

namespace understudy::detail {
namespace {

class Decomposition {
 public:
  char16_t composed = 0;
  char16_t base = 0;  // may have a decomposition itself
  char16_t mark = 0;
};

class MarkedLetters {
 public:
  char16_t mark;
  std::u16string_view pairs;  // a letter with the mark, the letter without
};

// UnicodeData.txt 15, canonical decompositions of Latin letters (but for blocks that no living
// orthography needs), Greek and Cyrillic.
constexpr auto marked_letters = std::to_array<MarkedLetters>({
    {0x300, u"ÀAÈEÌIÒOÙUàaèeìiòoùuǛÜǜüǸNǹnЀЕЍИѐеѝиẦÂầâẰĂằăỀÊềêỒÔồôỜƠờơỪƯừưỲYỳy"},  // grave accent
    {0x301,
     u"ÁAÉEÍIÓOÚUÝYáaéeíióoúuýyĆCćcĹLĺlŃNńnŔRŕrŚSśsŹZźzǗÜǘüǴGǵgǺÅǻåǼÆǽæǾØǿøΆΑΈΕΉΗΊΙ"
     u"ΌΟΎΥΏΩΐϊάαέεήηίιΰϋόούυώωЃГЌКѓгќкẤÂấâẮĂắăẾÊếêỐÔốôỚƠớơỨƯứư"},             // acute accent
    {0x302, u"ÂAÊEÎIÔOÛUâaêeîiôoûuĈCĉcĜGĝgĤHĥhĴJĵjŜSŝsŴWŵwŶYŷyẬẠậạỆẸệẹỘỌộọ"},  // circumflex accent
    {0x303, u"ÃAÑNÕOãañnõoĨIĩiŨUũuẪÂẫâẴĂẵăẼEẽeỄÊễêỖÔỗôỠƠỡơỮƯữưỸYỹy"},          // tilde
    {0x304, u"ĀAāaĒEēeĪIīiŌOōoŪUūuǕÜǖüǞÄǟäǠȦǡȧǢÆǣæǬǪǭǫȪÖȫöȬÕȭõȰȮȱȯȲYȳy"},      // macron
    {0x306, u"ĂAăaĔEĕeĞGğgĬIĭiŎOŏoŬUŭuЎУЙИйиўуẶẠặạ"},                          // breve
    {0x307, u"ĊCċcĖEėeĠGġgİIŻZżzȦAȧaȮOȯo"},                                    // dot above
    {0x308, u"ÄAËEÏIÖOÜUäaëeïiöoüuÿyŸYΪΙΫΥϊιϋυЁЕЇІёеїі"},                      // diaeresis
    {0x309, u"ẢAảaẨÂẩâẲĂẳăẺEẻeỂÊểêỈIỉiỎOỏoỔÔổôỞƠởơỦUủuỬƯửưỶYỷy"},              // hook above
    {0x30A, u"ÅAåaŮUůu"},                                                      // ring above
    {0x30B, u"ŐOőoŰUűu"},  // double acute accent
    {0x30C,
     u"ČCčcĎDďdĚEěeĽLľlŇNňnŘRřrŠSšsŤTťtŽZžzǍAǎaǏIǐiǑOǒoǓUǔuǙÜǚüǦGǧgǨKǩkǮƷǯʒǰjȞHȟh"},  // caron
    {0x30F, u"ȀAȁaȄEȅeȈIȉiȌOȍoȐRȑrȔUȕu"},              // double grave accent
    {0x311, u"ȂAȃaȆEȇeȊIȋiȎOȏoȒRȓrȖUȗu"},              // inverted breve
    {0x31B, u"ƠOơoƯUưu"},                              // horn
    {0x323, u"ẠAạaẸEẹeỊIịiỌOọoỢƠợơỤUụuỰƯựưỴYỵy"},      // dot below
    {0x326, u"ȘSșsȚTțt"},                              // comma below
    {0x327, u"ÇCçcĢGģgĶKķkĻLļlŅNņnŖRŗrŞSşsŢTţtȨEȩe"},  // cedilla
    {0x328, u"ĄAąaĘEęeĮIįiŲUųuǪOǫo"},                  // ogonek
});

constexpr std::size_t decomposition_count =
    std::accumulate(marked_letters.begin(), marked_letters.end(), std::size_t{0},
                    [](std::size_t n, const MarkedLetters& m) { return n + m.pairs.size() / 2; });

constexpr auto decompositions = [] {
  std::array<Decomposition, decomposition_count> all;
  std::size_t n = 0;
  for (const auto& [mark, pairs] : marked_letters) {
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
      all[n++] = {pairs[i], pairs[i + 1], mark};
    }
  }
  std::ranges::sort(all, {}, &Decomposition::composed);
  return all;
}();

const Decomposition* decomposition(char32_t c) {
  if (c < decompositions.front().composed || c > decompositions.back().composed) {
    return nullptr;
  }
  const auto found = std::ranges::lower_bound(decompositions, static_cast<char16_t>(c), {},
                                              &Decomposition::composed);
  return found->composed == c ? &*found : nullptr;
}

char32_t decoded(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
  char32_t c = sequence.size() == 1   ? byte(0)
               : sequence.size() == 2 ? byte(0) & 0x1FU
               : sequence.size() == 3 ? byte(0) & 0x0FU
                                      : byte(0) & 0x07U;
  for (std::size_t i = 1; i < sequence.size(); ++i) {
    c = c << 6U | (byte(i) & 0x3FU);
  }
  return c;
}

/// Unicode's White_Space.
constexpr bool is_white(char32_t c) {
  return c == ' ' || (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

constexpr char32_t plain(char32_t c) {
  switch (c) {
    case 0x2018:
    case 0x2019:
    case 0x201A:
    case 0x201B: return U'\'';
    case 0x201C:
    case 0x201D:
    case 0x201E:
    case 0x201F: return U'"';
    case 0x2010:
    case 0x2011: return U'-';
    default: return c;
  }
}

}  // namespace

void FoldedStep::append(std::string_view raw) noexcept {
  std::ranges::copy(raw, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
  size_ += raw.size();
}

/// Only what the tables hold is encoded, which is below U+0800.
void FoldedStep::append(char32_t c) noexcept {
  if (c < 0x80) {
    bytes_[size_++] = static_cast<char>(c);
    return;
  }
  bytes_[size_++] = static_cast<char>(0xC0U | c >> 6U);
  bytes_[size_++] = static_cast<char>(0x80U | (c & 0x3FU));
}

FoldedStep fold_step(std::string_view text) {
  FoldedStep step;
  const auto [length, valid] = text::utf8_step(text);
  step.length = length;
  const auto raw = text.substr(0, length);
  if (!valid) {
    step.cut = length == text.size();
    step.append(raw);
    return step;
  }
  const char32_t c = decoded(raw);
  step.white = is_white(c);
  if (step.white) {
    return step;
  }
  if (const auto p = plain(c); p != c) {
    step.append(p);
    return step;
  }
  std::array<char32_t, 2> marks{};
  std::size_t marked = 0;
  auto base = c;
  for (const auto* d = decomposition(base); d != nullptr && marked < marks.size();
       d = decomposition(base)) {
    marks[marked++] = d->mark;
    base = d->base;
  }
  if (marked == 0) {
    step.append(raw);
    return step;
  }
  step.append(base);
  while (marked > 0) {
    step.append(marks[--marked]);
  }
  return step;
}

std::string folded(std::string_view text) {
  std::string all;
  all.reserve(text.size());
  bool gap = false;
  const auto say = [&](std::string_view said) {
    if (gap) {
      all += ' ';
    }
    gap = false;
    all += said;
  };
  while (!text.empty()) {
    const auto ascii = static_cast<std::size_t>(
        std::ranges::find_if_not(text, [](char c) { return c > 0x20 && c < 0x7F; }) - text.begin());
    if (ascii > 0) {
      say(text.substr(0, ascii));
      text.remove_prefix(ascii);
      continue;
    }
    const auto step = fold_step(text);
    text.remove_prefix(step.length);
    if (step.white) {
      gap = !all.empty();
    } else {
      say(step.text());
    }
  }
  if (gap) {
    all += ' ';
  }
  return all;
}

std::size_t white_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto step = fold_step(text.substr(at));
    if (!step.white) {
      break;
    }
    at += step.length;
  }
  return at;
}

std::size_t white_suffix(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    std::size_t begin = end - 1;
    while (begin > 0 && end - begin < 4 && !at_code_point(text, begin)) {
      --begin;
    }
    const auto step = fold_step(text.substr(begin));
    if (!step.white || begin + step.length != end) {
      break;
    }
    end = begin;
  }
  return end;
}

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

bool ends_as_it_begins(std::string_view text, std::size_t at_least) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (at_code_point(text, at) && text.starts_with(text.substr(at)) &&
        code_points(text.substr(at)) >= at_least) {
      return true;
    }
  }
  return false;
}

}  // namespace understudy::detail
