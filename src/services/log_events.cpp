#include "services/log_events.hpp"

#include <algorithm>
#include <charconv>

namespace agentdb9::services {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kDecimals = 9;
constexpr std::size_t kTagDigits = 8;
constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::size_t kLongest = 64;
constexpr std::int64_t kLatest = 9'000'000'000;  // seconds; more do not fit as nanoseconds

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t value = 0;
    const auto* end = text.data() + text.size();
    if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end) return std::nullopt;
    return value;
}

// What stands before `mark`, which is taken away with it.
std::string_view take_before(std::string_view& text, char mark) {
    const auto end = std::min(text.find(mark), text.size());
    const auto part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

}  // namespace

std::string to_text(const LineId& id) {
    auto fraction = std::to_string(id.at_ns % kSecond);
    fraction.insert(0, kDecimals - fraction.size(), '0');
    std::string tag(kTagDigits, '0');
    for (std::size_t i = 0; i < kTagDigits; ++i)
        tag[kTagDigits - 1 - i] = kHex[id.tag >> (4 * i) & 15U];
    return std::to_string(id.at_ns / kSecond) + "." + fraction + "-" + tag + "@" + id.instance;
}

std::optional<LineId> line_id_from(std::string_view text) {
    if (text.size() > kLongest) return std::nullopt;
    const auto seconds = number(take_before(text, '.'));
    const auto decimals = take_before(text, '-');
    const auto fraction = number(decimals);
    const auto tag = take_before(text, '@');
    std::uint32_t tag_value = 0;
    const auto [stop, error] = std::from_chars(tag.data(), tag.data() + tag.size(), tag_value, 16);
    if (!seconds || *seconds > kLatest || !fraction || decimals.size() != kDecimals || error != std::errc() ||
        tag.size() != kTagDigits || stop != tag.data() + tag.size() || text.empty() ||
        text.size() > kShortId ||
        text.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz") != std::string_view::npos) {
        return std::nullopt;
    }
    return LineId{*seconds * kSecond + *fraction, tag_value, std::string(text)};
}

// FNV-1a (RFC 9923, 32 bits): the same in every server of an installation.
LineId id_of(const runtime::OutputLine& line, std::string short_id) {
    constexpr std::uint32_t kBasis = 0x811C9DC5;
    constexpr std::uint32_t kPrime = 0x01000193;
    auto tag = kBasis;
    const auto add = [&](char c) { tag = (tag ^ static_cast<unsigned char>(c)) * kPrime; };
    add(line.stream == runtime::OutputStream::kStderr ? 'e' : 'o');
    std::ranges::for_each(line.text, add);
    return {line.at_ns, tag, std::move(short_id)};
}

}  // namespace agentdb9::services
