#include "runtime/docker/output_reader.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/utf8.hpp"

namespace agentdb9::runtime::docker {
namespace {

constexpr std::size_t kHeader = 8;
constexpr std::size_t kLongestTime = 40;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

}  // namespace

std::string as_utf8(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    while (!bytes.empty()) {
        const auto length = base::utf8_character_length(bytes);
        const auto first = static_cast<unsigned char>(bytes.front());
        if (length == 0) {
            out += kReplacement;
            bytes.remove_prefix(1);
            continue;
        }
        // A terminal's colours are left to whoever shows the line.
        const bool shown = first >= 0x20 ? first != 0x7F : first == '\t' || first == '\x1b';
        if (shown) out += bytes.substr(0, length);
        bytes.remove_prefix(length);
    }
    return out;
}

std::optional<std::int64_t> read_nanoseconds(std::string_view text) {
    // The engine's form is fixed but for the number of decimals.
    constexpr std::size_t kWhole = 19;  // "2026-11-29T12:38:04"
    if (text.size() < kWhole + 1 || text.back() != 'Z') return std::nullopt;
    const auto whole = base::parse_time(std::string(text.substr(0, kWhole)) + "Z");
    if (!whole) return std::nullopt;
    std::int64_t fraction = 0;
    auto decimals = text.substr(kWhole, text.size() - kWhole - 1);
    if (!decimals.empty()) {
        if (decimals.front() != '.' || decimals.size() < 2 || decimals.size() > 10) return std::nullopt;
        decimals.remove_prefix(1);
        const auto* end = decimals.data() + decimals.size();
        const auto [stop, error] = std::from_chars(decimals.data(), end, fraction);
        if (error != std::errc() || stop != end || fraction < 0) return std::nullopt;
        for (auto missing = 9 - decimals.size(); missing > 0; --missing)
            fraction *= 10;
    }
    // The engine's word for never, the year 1, lies before what nanoseconds reach back to.
    const auto seconds = base::to_unix_seconds(*whole);
    if (seconds < 0 || seconds >= std::numeric_limits<std::int64_t>::max() / kSecond) return std::nullopt;
    return seconds * kSecond + fraction;
}

std::string since_text(std::int64_t ns) {
    auto fraction = std::to_string(ns % kSecond);
    fraction.insert(0, 9 - fraction.size(), '0');
    return std::to_string(ns / kSecond) + "." + fraction;
}

void OutputReader::push(std::string_view bytes) {
    if (bytes.empty()) return;
    if (!framed_) framed_ = bytes.front() >= 0 && bytes.front() <= 2;
    if (!*framed_) {
        take(OutputStream::kStdout, bytes);
        return;
    }
    while (!bytes.empty())
        bytes.remove_prefix(push_framed(bytes));
}

// How many of the bytes were used.
std::size_t OutputReader::push_framed(std::string_view bytes) {
    if (left_ > 0) {
        const auto part = bytes.substr(0, left_);
        left_ -= part.size();
        take(stream_, part);
        return part.size();
    }
    const auto part = bytes.substr(0, kHeader - header_.size());
    header_ += part;
    if (header_.size() < kHeader) return part.size();
    for (std::size_t i = 4; i < kHeader; ++i)
        left_ = left_ << 8 | static_cast<unsigned char>(header_[i]);
    stream_ = header_[0] == 2 ? OutputStream::kStderr : OutputStream::kStdout;
    header_.clear();
    // A frame is one entry, and each entry has its time: a long line comes as several.
    open(stream_).in_time = true;
    open(stream_).time.clear();
    return part.size();
}

void OutputReader::take(OutputStream stream, std::string_view text) {
    auto& open = this->open(stream);
    while (!text.empty()) {
        if (open.in_time) {
            const auto space = text.find(' ');
            open.time += text.substr(0, std::min(space, kLongestTime));
            if (space == std::string_view::npos && open.time.size() < kLongestTime) return;
            open.in_time = false;
            const auto at = read_nanoseconds(open.time);
            // What has no time is text; the engine does not send that.
            const auto unread = at || space == std::string_view::npos ? std::string() : open.time + " ";
            open.time.clear();
            text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
            if (!open.begun) open.line.at_ns = at.value_or(0);
            open.begun = true;
            add(open.line, unread);
            continue;
        }
        const auto end = text.find('\n');
        add(open.line, text.substr(0, end));
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
        end_line(open, stream);
        open.in_time = true;
    }
}

void OutputReader::add(OutputLine& line, std::string_view text) {
    const auto room = kLongestLine - std::min(kLongestLine, line.text.size());
    line.cut = line.cut || text.size() > room;
    line.text += text.substr(0, room);
}

void OutputReader::end_line(Open& open, OutputStream stream) {
    auto line = std::exchange(open.line, {});
    open.begun = false;
    line.stream = stream;
    if (line.text.ends_with('\r')) line.text.pop_back();
    line.text = as_utf8(line.text);
    on_line_(std::move(line));
}

void OutputReader::finish() {
    for (const auto stream : {OutputStream::kStdout, OutputStream::kStderr}) {
        if (open(stream).begun) end_line(open(stream), stream);
    }
}

}  // namespace agentdb9::runtime::docker
