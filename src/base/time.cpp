#include "base/time.hpp"

#include <array>
#include <cstdio>

namespace agentdb9::base {
namespace {

// Reads exactly `digits` decimal digits from the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
    if (text.size() < digits) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, std::string_view any_of) {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<int> take_fraction_ms(std::string_view& text) {
    if (!take(text, ".")) return 0;
    int ms = 0;
    int digits = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        if (digits < 3) ms = ms * 10 + (text.front() - '0');
        ++digits;
        text.remove_prefix(1);
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 3; ++digits)
        ms *= 10;
    return ms;
}

std::optional<int> take_offset_minutes(std::string_view& text) {
    if (text.empty() || take(text, "Zz"))
        return 0;  // PostgreSQL's `timestamp` carries no zone: it is UTC by agreement
    const int sign = text.front() == '-' ? -1 : 1;
    if (!take(text, "+-")) return std::nullopt;
    auto hours = take_number(text, 2);
    if (!hours) return std::nullopt;
    int minutes = 0;
    if (take(text, ":") || !text.empty()) {
        auto parsed = take_number(text, 2);
        if (!parsed) return std::nullopt;
        minutes = *parsed;
    }
    return sign * (*hours * 60 + minutes);
}

}  // namespace

std::string format_time(Time time) {
    using namespace std::chrono;
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(time - day);
    std::array<char, 40> text{};
    const int length = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
        static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
    return std::string(text.data(), static_cast<std::size_t>(length));
}

std::optional<Time> parse_time(std::string_view text) {
    using namespace std::chrono;
    auto y = take_number(text, 4);
    if (!y || !take(text, "-")) return std::nullopt;
    auto mo = take_number(text, 2);
    if (!mo || !take(text, "-")) return std::nullopt;
    auto d = take_number(text, 2);
    if (!d || !take(text, "Tt ")) return std::nullopt;
    auto h = take_number(text, 2);
    if (!h || !take(text, ":")) return std::nullopt;
    auto mi = take_number(text, 2);
    if (!mi || !take(text, ":")) return std::nullopt;
    auto s = take_number(text, 2);
    if (!s) return std::nullopt;
    auto ms = take_fraction_ms(text);
    if (!ms) return std::nullopt;
    auto offset = take_offset_minutes(text);
    if (!offset || !text.empty()) return std::nullopt;
    const year_month_day date(year(*y), month(static_cast<unsigned>(*mo)), day(static_cast<unsigned>(*d)));
    if (!date.ok() || *h > 23 || *mi > 59 || *s > 60) return std::nullopt;
    return Time(sys_days(date)) + hours(*h) + minutes(*mi - *offset) + seconds(*s) + milliseconds(*ms);
}

std::int64_t to_unix_ms(Time time) {
    return time.time_since_epoch().count();
}

Time from_unix_ms(std::int64_t ms) {
    return Time(std::chrono::milliseconds(ms));
}

std::int64_t to_unix_seconds(Time time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace agentdb9::base
