#include "wire.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "support/mutation.hpp"

namespace agentdb9::test {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n\v\f";
    const auto begin = text.find_first_not_of(kSpace);
    if (begin == text.npos) return {};
    return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// Calls `visit` with each line, without its CRLF.
template <class Visit>
void each_line(std::string_view text, Visit visit) {
    while (!text.empty()) {
        const auto end = text.find(kLineEnd);
        visit(text.substr(0, end));
        text.remove_prefix(end == text.npos ? text.size() : end + kLineEnd.size());
    }
}

struct Field {
    std::string name;  // trimmed, lower case
    std::string_view value;
};

Field field_of(std::string_view line) {
    const auto colon = line.find(':');
    return {lower(trimmed(line.substr(0, colon))),
            colon == line.npos ? std::string_view() : trimmed(line.substr(colon + 1))};
}

bool is_framing(const std::string& name) {
    return name == "content-length" || name == "transfer-encoding";
}

struct Framing {
    bool chunked = false;
    std::size_t length = 0;
};

void doubt(Seen& seen, std::string_view why) {
    if (seen.doubt.empty()) seen.doubt = why;
}

// Fills in what a head says.
Framing read_head(Seen& seen) {
    Framing framing;
    std::size_t lengths = 0;
    std::size_t codings = 0;
    bool first = true;
    each_line(
        std::string_view(seen.head).substr(0, seen.head.size() - kLineEnd.size()),
        [&](std::string_view line) {
            if (line.find_first_of(std::string_view("\r\n\0", 3)) != line.npos)
                doubt(seen, "a stray CR, LF or NUL in the head");
            if (std::exchange(first, false)) {
                const auto one = line.find(' ');
                const auto two = line.rfind(' ');
                if (one == two || line.find(' ', one + 1) != two || line.substr(two + 1) != "HTTP/1.1")
                    doubt(seen, "a request line of another form");
                seen.method = line.substr(0, one);
                seen.target = one < two ? line.substr(one + 1, two - one - 1) : std::string_view();
                return;
            }
            const auto [name, value] = field_of(line);
            if (line.empty() || line.front() == ' ' || line.front() == '\t' || name.size() != line.find(':'))
                doubt(seen, "a folded or malformed field");
            if (name == "x-request-id") seen.id = value;
            if (name == "transfer-encoding") {
                ++codings;
                framing.chunked = lower(value).ends_with("chunked");
                if (value != "chunked") doubt(seen, "a Transfer-Encoding other than chunked");
            }
            if (name == "content-length") {
                ++lengths;
                const auto read = std::from_chars(value.data(), value.data() + value.size(), framing.length);
                if (read.ec != std::errc() || read.ptr != value.data() + value.size())
                    doubt(seen, "a malformed Content-Length");
            }
        });
    if (lengths + codings > 1) doubt(seen, "more than one field that frames");
    return framing;
}

enum class Progress { kWhole, kMore, kBroken };

// Takes one chunked body off the front of `rest`, with its trailers.
Progress take_chunked(std::string_view& rest, Seen& seen) {
    while (true) {
        const auto end = rest.find(kLineEnd);
        if (end == rest.npos) return Progress::kMore;
        const auto line = rest.substr(0, end);
        std::size_t size = 0;
        const auto read = std::from_chars(line.data(), line.data() + line.size(), size, 16);
        if (read.ec != std::errc()) return Progress::kBroken;
        const auto extension = line.substr(static_cast<std::size_t>(read.ptr - line.data()));
        if (!extension.empty() && extension.front() != ';') doubt(seen, "a chunk's size of another form");
        if (extension.find_first_of(std::string_view("\r\n\0", 3)) != extension.npos)
            doubt(seen, "a stray CR, LF or NUL in a chunk extension");
        rest.remove_prefix(end + kLineEnd.size());
        if (size == 0) break;
        if (rest.size() < size || rest.size() - size < kLineEnd.size()) return Progress::kMore;
        seen.body += rest.substr(0, size);
        if (rest.substr(size, kLineEnd.size()) != kLineEnd) return Progress::kBroken;
        rest.remove_prefix(size + kLineEnd.size());
    }
    while (true) {
        const auto end = rest.find(kLineEnd);
        if (end == rest.npos) return Progress::kMore;
        const auto line = rest.substr(0, end);
        rest.remove_prefix(end + kLineEnd.size());
        if (line.empty()) return Progress::kWhole;
        const auto name = field_of(line).name;
        if (line.find_first_of(std::string_view("\r\n\0", 3)) != line.npos || is_framing(name) ||
            name.size() != line.find(':'))
            doubt(seen, "a doubtful trailer");
    }
}

}  // namespace

std::vector<Seen> RequestReader::feed(std::string_view bytes) {
    raw_ += bytes;
    rest_ += bytes;
    std::vector<Seen> whole;
    while (broken_.empty() && !rest_.empty()) {
        auto seen = take();
        if (!seen) break;
        whole.push_back(std::move(*seen));
    }
    return whole;
}

std::optional<Seen> RequestReader::begun() const {
    const auto end = rest_.find(kHeadEnd);
    if (end == rest_.npos) return std::nullopt;
    Seen seen;
    seen.head = rest_.substr(0, end + kHeadEnd.size());
    read_head(seen);
    return seen;
}

std::optional<Seen> RequestReader::take() {
    auto begun = this->begun();
    if (!begun) return std::nullopt;
    auto seen = std::move(*begun);
    const auto framing = read_head(seen);
    auto rest = std::string_view(rest_).substr(seen.head.size());
    const auto before = rest.size();
    if (framing.chunked) {
        const auto progress = take_chunked(rest, seen);
        if (progress == Progress::kBroken) broken_ = "a chunk is malformed";
        if (progress != Progress::kWhole) return std::nullopt;
    } else {
        if (rest.size() < framing.length) return std::nullopt;
        seen.body = rest.substr(0, framing.length);
        rest.remove_prefix(framing.length);
    }
    seen.raw_body = rest_.substr(seen.head.size(), before - rest.size());
    rest_.erase(0, seen.head.size() + seen.raw_body.size());
    return seen;
}

std::string plain_head(std::string_view head) {
    constexpr std::array<std::string_view, 3> kTaste{"host", "connection", "upgrade"};
    // HAProxy keeps the size of a name in a byte.
    constexpr std::size_t kLongestName = 255;
    std::string lines = "POST /plain HTTP/1.1\r\nHost: a\r\n";
    bool first = true;
    each_line(head, [&](std::string_view line) {
        if (std::exchange(first, false)) return;
        const auto name = field_of(line).name;
        if (name.size() > kLongestName || std::ranges::find(kTaste, name) != kTaste.end()) return;
        lines.append(line).append(kLineEnd);
    });
    return lines;
}

std::vector<Answer> final_answers(std::string_view text) {
    constexpr std::string_view kVersion = "HTTP/1.";
    std::vector<Answer> answers;
    for (auto at = text.find(kVersion); at != text.npos; at = text.find(kVersion, at + 1)) {
        const auto line = text.substr(at + kVersion.size());
        int status = 0;
        if (line.size() < 6 || line[1] != ' ' || line[5] != ' ') continue;
        const auto read = std::from_chars(line.data() + 2, line.data() + 5, status);
        if (read.ptr != line.data() + 5 || status < 200) continue;
        const auto head = line.substr(0, line.find(kHeadEnd));
        answers.push_back({status, lower(head).contains(lower(kRecorded.substr(0, kRecorded.size() - 2)))});
    }
    return answers;
}

std::string readable(std::string_view bytes) {
    std::string text;
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        auto line = bytes.substr(0, end == bytes.npos ? end : end + 1);
        bytes.remove_prefix(line.size());
        constexpr std::size_t kLongest = 2000;
        text.append("    ").append(escaped(line.substr(0, kLongest)));
        if (line.size() > kLongest) text.append(" … ").append(std::to_string(line.size())).append(" bytes");
        text += '\n';
    }
    return text;
}

}  // namespace agentdb9::test
