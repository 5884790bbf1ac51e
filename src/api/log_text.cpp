#include "api/log_text.hpp"

#include <charconv>
#include <cmath>

namespace agentdb9::api {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kLatest = 7'258'118'400;  // the year 2200, in seconds
constexpr std::size_t kDecimals = 9;

// Digits only, all of them; of at most `most` of them.
std::optional<std::int64_t> digits(std::string_view text, std::size_t most) {
    std::int64_t value = 0;
    const auto* end = text.data() + text.size();
    if (text.empty() || text.size() > most || text.front() < '0' || text.front() > '9') return std::nullopt;
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end) return std::nullopt;
    return value;
}

// "5" and "500000000" are both half a second.
std::optional<std::int64_t> decimals_ns(std::string_view text) {
    auto value = digits(text, kDecimals);
    for (auto missing = kDecimals - std::min(kDecimals, text.size()); value && missing > 0; --missing)
        *value *= 10;
    return value;
}

std::optional<std::int64_t> seconds_of(char unit) {
    switch (unit) {
        case 's':
            return 1;
        case 'm':
            return 60;
        case 'h':
            return 3600;
        case 'd':
            return 86'400;
        default:
            return std::nullopt;
    }
}

std::optional<std::int64_t> joined(std::optional<std::int64_t> seconds, std::optional<std::int64_t> ns) {
    if (!seconds || !ns || *seconds < 0 || *seconds > kLatest) return std::nullopt;
    return *seconds * kSecond + *ns;
}

// "12345" for a digit's place in "…T12:38:04.12345Z".
std::string_view decimals_in(std::string_view time) {
    const auto point = time.find('.');
    if (point == std::string_view::npos) return {};
    const auto rest = time.substr(point + 1);
    return rest.substr(0, rest.find_first_not_of("0123456789"));
}

}  // namespace

std::string nanosecond_time(std::int64_t ns) {
    // "….123Z", whose decimals are replaced.
    auto text = base::format_time(base::from_unix_ms(ns / kSecond * 1000));
    auto fraction = std::to_string(ns % kSecond);
    fraction.insert(0, kDecimals - fraction.size(), '0');
    return text.replace(text.size() - 4, 3, fraction);
}

std::optional<std::int64_t> parse_since(std::string_view text, base::Time now) {
    constexpr std::size_t kMostDigits = 10;
    if (const auto point = text.find('.'); point != std::string_view::npos) {
        if (const auto seconds = digits(text.substr(0, point), kMostDigits))
            return joined(seconds, decimals_ns(text.substr(point + 1)));
    }
    if (const auto seconds = digits(text, kMostDigits)) return joined(seconds, 0);
    if (const auto unit = text.empty() ? std::nullopt : seconds_of(text.back())) {
        const auto count = digits(text.substr(0, text.size() - 1), 7);
        if (!count) return std::nullopt;
        const auto from = base::to_unix_seconds(now) - *count * *unit;
        return std::max<std::int64_t>(from, 0) * kSecond;
    }
    const auto time = base::parse_time(text);
    if (!time) return std::nullopt;
    const auto fraction = decimals_in(text).substr(0, kDecimals);
    return joined(base::to_unix_seconds(*time), fraction.empty() ? 0 : decimals_ns(fraction));
}

json::object to_json(const runtime::OutputLine& line, bool with_time) {
    json::object out;
    if (with_time) out["time"] = nanosecond_time(line.at_ns);
    out["stream"] = line.stream == runtime::OutputStream::kStderr ? "stderr" : "stdout";
    out["line"] = line.text;
    if (line.cut) out["truncated"] = true;
    return out;
}

void append_text(std::string& out, const runtime::OutputLine& line, bool with_time) {
    if (with_time) out.append(nanosecond_time(line.at_ns)).append(" ");
    out.append(line.text).append("\n");
}

json::object to_json(const runtime::Usage& usage) {
    constexpr double kHundredths = 100.0;
    const auto limit = static_cast<double>(usage.memory_limit_bytes);
    const auto rounded = [](double value) { return std::round(value * kHundredths) / kHundredths; };
    return {
        {"time", base::format_time(usage.at)},
        {"cpu", json::object{{"percent", rounded(usage.cpu_percent)}, {"cpus", usage.cpus}}},
        {"memory",
         json::object{
             {"usedBytes", usage.memory_bytes},
             {"cacheBytes", usage.memory_cache_bytes},
             {"limitBytes", usage.memory_limit_bytes},
             {"percent", limit > 0 ? rounded(static_cast<double>(usage.memory_bytes) / limit * 100) : 0.0}}},
        {"network", json::object{{"receivedBytes", usage.received_bytes}, {"sentBytes", usage.sent_bytes}}},
        {"blockIo", json::object{{"readBytes", usage.read_bytes}, {"writtenBytes", usage.written_bytes}}},
        {"pids", usage.pids}};
}

}  // namespace agentdb9::api
